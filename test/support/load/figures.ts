import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { asSvg, type Panel } from '../../../bench/plot.ts';
import { proveSeed } from './budget.ts';
import type { Sample } from './gauge.ts';

/** A figure that `npm run prove` puts below its table. */
export function tellFigure(t: TestContext, figure: string): void {
  t.diagnostic(`figure: ${figure}`);
}

/** The seed, for whoever runs the file by itself and sees it fail. */
export function tellSeed(t: TestContext): void {
  t.diagnostic(`seed: OUTLIVE_PROVE_SEED=${proveSeed}`);
}

/** Writes a picture of the samples where `$OUTLIVE_PROVE_FIGURES` says; nothing without it. */
export function plotSamples(name: string, title: string, samples: readonly Sample[]): void {
  const folder = process.env.OUTLIVE_PROVE_FIGURES;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.svg`), asSvg({ title, xTitle: 'seconds', panels: panelsOf(samples) }));
}

function panelsOf(samples: readonly Sample[]): Panel[] {
  const line = (name: string, of: (sample: Sample) => number) => ({
    name,
    points: samples.map((sample) => [sample.atMs / 1000, of(sample)] as const),
  });
  const memory = [
    line('in use', ({ memoryMb }) => memoryMb),
    line('heap, collected', ({ heapMb }) => heapMb),
  ];
  return [
    { title: 'tasks done', series: [line('tasks', ({ done }) => done)] },
    { title: 'memory of the supervisor, MB', series: memory },
    { title: 'descriptors of the supervisor', series: [line('open', ({ descriptors }) => descriptors)] },
    {
      title: 'CPU of the supervisor, % of a core',
      series: [line('since the sample before', ({ cpuPercent }) => cpuPercent)],
    },
  ];
}

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wholeNode } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, p95, takeTurns } from '../measure.ts';
import { atMostMore, judge, type Row } from '../row.ts';

/** The repository's top folder, seen from build/bench/rows. */
const root = join(import.meta.dirname, '../../..');

/** A process that imports the package by its name, as its users do, beside one that does nothing. */
export async function importCost(ground: Ground): Promise<Row[]> {
  const folder = ground.newFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'outlive'));
  const program = join(folder, 'program.mjs');
  writeFileSync(program, "import { openStore } from 'outlive';\nif (!openStore) process.exit(1);\n");
  const samples = await takeTurns(30, {
    ours: () => wholeNode([program]),
    bare: () => wholeNode(['-e', '0']),
  });
  const figures = {
    what: "`import 'outlive'`, whole process",
    unit: 'ms',
    measured: median(samples.ours),
    p95: p95(samples.ours),
    beside: '`node -e 0`',
    besideMeasured: median(samples.bare),
  };
  return [judge(figures, atMostMore(40, 'ms'))];
}

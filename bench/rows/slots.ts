import { exitOf, spawnBare } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { takeTurns, timed } from '../measure.ts';
import { atLeastTimes, judge, type Row } from '../row.ts';

const slots = 8;
const rounds = 4;
const perRound = 250;

/** 1,000 x `true` through 8 slots, beside the same loop with bare children; with each of the usual shells. */
export async function throughput(ground: Ground): Promise<Row[]> {
  const session = await ground.session('bench');
  const rows: Row[] = [];
  for (const shell of ['/bin/sh', '/bin/bash']) {
    const ours = (): Promise<number> =>
      timed(() =>
        throughSlots(async () => {
          const task = await session.spawn('true', { shell });
          await task.wait();
        }),
      );
    const bare = (): Promise<number> =>
      timed(() => throughSlots(() => exitOf(spawnBare(shell, 'true', ground.newFile()))));
    const samples = await takeTurns(rounds, { ours, bare }, 1);
    const figures = {
      what: `${rounds * perRound} x \`true\` through ${slots} slots, ${shell}`,
      unit: 'tasks/s',
      measured: rate(samples.ours),
      beside: 'bare children in the same loop',
      besideMeasured: rate(samples.bare),
    };
    rows.push(judge(figures, atLeastTimes(0.7)));
  }
  return rows;
}

async function throughSlots(job: () => Promise<void>): Promise<void> {
  let left = perRound;
  const slot = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await job();
    }
  };
  await Promise.all(Array.from({ length: slots }, slot));
}

function rate(roundsMs: readonly number[]): number {
  const total = roundsMs.reduce((sum, ms) => sum + ms, 0);
  return (roundsMs.length * perRound * 1000) / total;
}

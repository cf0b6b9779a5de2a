import { exitOf, spawnBare } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, p95, pause, type Samples, takeTurns } from '../measure.ts';
import { atMostTimes, type Figures, judge, noLimit, type Row } from '../row.ts';

/** So that the end of one child does not fall into the start of the next. */
const settleMs = 2;

/** A spawn more than this after the one before is none of a burst. */
const aloneMs = 1_100;

/**
 * `spawn()`, answered with the spec on disk, beside a bare child with a file of its own: one after the other, and one in a
 * second.
 */
export async function spawnReply(ground: Ground): Promise<Row[]> {
  const session = await ground.session('bench');
  const ours = async (): Promise<number> => {
    const begin = performance.now();
    const task = await session.spawn('true', { shell: '/bin/sh' });
    const taken = performance.now() - begin;
    await task.wait();
    await pause(settleMs);
    return taken;
  };
  const bare = async (): Promise<number> => {
    const output = ground.newFile();
    const begin = performance.now();
    const child = spawnBare('/bin/sh', 'true', output);
    const taken = performance.now() - begin;
    await exitOf(child);
    await pause(settleMs);
    return taken;
  };
  const rested =
    (spawn: () => Promise<number>): (() => Promise<number>) =>
    async () => {
      await pause(aloneMs);
      return await spawn();
    };
  const inTurns = await takeTurns(200, { ours, bare }, 20);
  const alone = await takeTurns(15, { ours: rested(ours), bare: rested(bare) }, 1);
  const figures = (what: string, samples: Samples<'ours' | 'bare'>): Figures => ({
    what,
    unit: 'ms',
    measured: median(samples.ours),
    p95: p95(samples.ours),
    beside: 'bare `spawn` of /bin/sh to a file',
    besideMeasured: median(samples.bare),
  });
  return [
    judge(figures('`spawn()`, the spec synced to disk', inTurns), atMostTimes(1.4)),
    judge(figures('the same, a second after the one before', alone), noLimit),
  ];
}

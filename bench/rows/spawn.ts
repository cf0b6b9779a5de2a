import { exitOf, spawnBare } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { median, p95, pause, takeTurns } from '../measure.ts';
import { atMostTimes, judge, type Row } from '../row.ts';

/** So that the end of one child does not fall into the start of the next. */
const settleMs = 2;

/** `spawn()`, answered with the spec on disk, beside a bare child with a file of its own. */
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
  const samples = await takeTurns(200, { ours, bare }, 20);
  const figures = {
    what: '`spawn()`, the spec synced to disk',
    unit: 'ms',
    measured: median(samples.ours),
    p95: p95(samples.ours),
    beside: 'bare `spawn` of /bin/sh to a file',
    besideMeasured: median(samples.bare),
  };
  return [judge(figures, atMostTimes(1.4))];
}

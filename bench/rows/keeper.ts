import type { Ground } from '../ground.ts';
import { must, pause } from '../measure.ts';
import { cpuMs, keeperProcesses, residentKib } from '../processes.ts';
import { judge, type Row, under } from '../row.ts';

const windowMs = 8_000;

/**
 * What looks after quiet tasks when their spawner was killed: the keeper and its sentinel, together. To be called
 * a while after that, so that the keeper has started; beside it stands what Node alone would have.
 */
export async function keeperRows(ground: Ground, count: string): Promise<Row[]> {
  const found = await must('the keeper to come', untilKept(ground.storeDir));
  // It has read all logs, and what that took is not there any more.
  await pause(4_000);
  const [begin, used] = [performance.now(), cpuMs(found)];
  await pause(windowMs);
  const share = (cpuMs(found) - used) / ((performance.now() - begin) / 100);
  const cpu = {
    what: `${count} quiet tasks, the spawner killed: CPU of keeper and sentinel`,
    unit: '% of a core',
    measured: share,
    beside: '',
    besideMeasured: null,
  };
  const memory = {
    what: `${count} quiet tasks, the spawner killed: memory of keeper and sentinel`,
    unit: 'MB',
    measured: residentKib(found) / 1000,
    beside: 'this process (Node, with the benchmarks)',
    besideMeasured: process.memoryUsage.rss() / 1e6,
  };
  return [judge(cpu, under(1, 'under 1 % of one core')), judge(memory, under(60, 'under 60 MB'))];
}

async function untilKept(dir: string): Promise<number[]> {
  for (;;) {
    const found = keeperProcesses(dir);
    if (found.length === 2) return found;
    await pause(100);
  }
}

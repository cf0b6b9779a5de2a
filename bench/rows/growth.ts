import { join } from 'node:path';
import type { Ground } from '../ground.ts';
import { median, takeTurns } from '../measure.ts';
import { fillStore } from '../old-store.ts';
import type { Plot } from '../plot.ts';
import { cpuOfVerb, mine, oneTask } from './verbs.ts';

const verbs = ['ps', 'run', 'completions', 'wait', 'logs'] as const;
const taskCounts = [0, 1_000, 10_000, 30_000, 100_000];
const sessionCounts = [0, 100, 1_000, 3_000, 10_000];
const tasksOfSession = 5;
const days = 365;

/** The CPU time of verbs against the number of ended tasks in the session that is asked, and of sessions in the store. */
export async function growthOfVerbs(ground: Ground): Promise<readonly Plot[]> {
  const byTasks = await curve(ground, taskCounts, async (dir, more) => {
    await fillStore(dir, { sessions: 0, tasks: 0, largest: { sessionId: mine, tasks: more }, days });
  });
  const bySessions = await curve(ground, sessionCounts, async (dir, more, before) => {
    const tasks = more * tasksOfSession;
    await fillStore(dir, { sessions: more, tasks, days, firstSession: before });
  });
  const title = 'CPU time of verbs, whole processes, in milliseconds';
  return [
    { title, xTitle: 'ended tasks in the session that is asked', panels: [{ title: 'ms', series: byTasks }] },
    {
      title,
      xTitle: `sessions of ${tasksOfSession} ended tasks in the store`,
      panels: [{ title: 'ms', series: bySessions }],
    },
  ];
}

type Series = Plot['panels'][number]['series'];

async function curve(
  ground: Ground,
  counts: readonly number[],
  grow: (dir: string, more: number, before: number) => Promise<void>,
): Promise<Series> {
  const dir = join(ground.newFolder(), 'store');
  const taskId = await oneTask(dir);
  const points = new Map<string, [number, number][]>(['node -e 0', ...verbs].map((name) => [name, []]));
  let before = 0;
  for (const count of counts) {
    if (count > before) await grow(dir, count - before, before);
    before = count;
    const subjects = [...points.keys()].map((name) => [name, () => cpuOfVerb(name, taskId, dir)] as const);
    const samples = await takeTurns(7, Object.fromEntries(subjects));
    for (const [name, line] of points) line.push([count, median(samples[name] ?? [])]);
  }
  return [...points].map(([name, line]) => ({ name, points: line }));
}

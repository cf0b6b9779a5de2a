import { counted, type Finding, fine, some, warning } from '../engine/doctor/finding.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { TaskInspection } from './inspect.ts';
import { openStore } from './open-store.ts';
import type { Store } from './store.ts';

/** A stop that takes so much longer than its grace does not get on. */
const stopSlackMs = 10_000;

/** A completion that nobody has asked for this long has no session that lives. */
const forgottenMs = 7 * 24 * 3_600_000;

/** Whether tasks are in a state that somebody should know of. */
export async function checkTasks(store: Store): Promise<Finding[]> {
  const tasks = await store.tasks();
  return [
    checkElsewhere(tasks),
    await checkStops(store, tasks),
    await checkLeftovers(store, tasks),
    checkForgotten(tasks),
    checkLost(tasks),
  ];
}

function checkElsewhere(tasks: readonly TaskSnapshot[]): Finding {
  const away = tasks.filter(({ statusReason, status }) => statusReason === 'elsewhere' && !isEnded(status));
  if (away.length === 0) return fine('elsewhere', 'every live task is of this machine');
  return warning(
    'elsewhere',
    `${counted(away.length, 'task belongs', 'tasks belong')} to another machine or container, and cannot be judged here: ${ids(away)}`,
    'Look at them from there. If no other machine uses this store, set OUTLIVE_ELSEWHERE=lost.',
  );
}

/** Tasks that somebody wanted to stop and that are still there. */
async function checkStops(store: Store, tasks: readonly TaskSnapshot[]): Promise<Finding> {
  const killing = tasks.filter(
    ({ status, statusReason }) => status === 'killing' && statusReason !== 'elsewhere',
  );
  const slow: TaskSnapshot[] = [];
  for (const task of killing) if (isOverdue(await store.inspect(task.taskId))) slow.push(task);
  if (slow.length === 0) return fine('stops', 'no stop takes longer than it should');
  return warning(
    'stops',
    `${counted(slow.length, 'task is being stopped for longer than it', 'tasks are being stopped for longer than they')} should: ${ids(slow)}`,
    'Nobody is there who goes on with the stop. Stop them again: outlive kill --grace 0s',
    async () => await stopAll(store.dir, slow),
  );
}

function isOverdue({ history, bounds }: TaskInspection): boolean {
  const asked = history.find(({ fact }) => fact === 'stop')?.at ?? null;
  return asked !== null && Date.now() - asked > bounds.graceMs + stopSlackMs;
}

/**
 * What ended tasks left running. A snapshot says what was there at the end, of which only some may be alive, and
 * says nothing as long as nobody has settled the task.
 */
async function checkLeftovers(store: Store, tasks: readonly TaskSnapshot[]): Promise<Finding> {
  const alive: TaskSnapshot[] = [];
  let count = 0;
  for (const task of tasks.filter(({ status }) => isEnded(status))) {
    const { processes } = await store.inspect(task.taskId);
    if (processes.length > 0) alive.push(task);
    count += processes.length;
  }
  if (alive.length === 0) return fine('leftovers', 'no ended task has left a process running');
  return warning(
    'leftovers',
    `${counted(alive.length, 'ended task has', 'ended tasks have')} left ${counted(count, 'process', 'processes')} running: ${ids(alive)}`,
    `That may be meant (a server in the background). Stop them with: outlive kill ${alive[0]?.taskId ?? ''}`,
    async () => await stopAll(store.dir, alive),
  );
}

function checkForgotten(tasks: readonly TaskSnapshot[]): Finding {
  const old = tasks.filter(
    ({ status, delivered, endedAt }) =>
      isEnded(status) && !delivered && Date.now() - (endedAt ?? 0) > forgottenMs,
  );
  if (old.length === 0) return fine('completions', 'no session has left a completion unasked for a week');
  const sessions = [...new Set(old.map(({ sessionId }) => sessionId))];
  return warning(
    'completions',
    `${counted(old.length, 'completion', 'completions')} of ${counted(sessions.length, 'session', 'sessions')} nobody has asked for in a week: ${some(sessions)}`,
    'If a session is over, take what it is owed: outlive completions --ack -s SESSION; prune removes it later.',
  );
}

function checkLost(tasks: readonly TaskSnapshot[]): Finding {
  const lost = tasks.filter(({ status, delivered }) => status === 'lost' && !delivered);
  if (lost.length === 0) return fine('lost', 'no task is lost that was not told of');
  return warning(
    'lost',
    `${counted(lost.length, 'task is gone, and nothing can say how it', 'tasks are gone, and nothing can say how they')} ended: ${ids(lost)}`,
    'A reboot, or SIGKILL to the shim. Look with: outlive show TASK --facts',
  );
}

/** The store that the doctor looked with is closed when somebody decides to mend. */
async function stopAll(dir: string, tasks: readonly TaskSnapshot[]): Promise<string> {
  await using store = await openStore({ dir });
  for (const { sessionId, taskId } of tasks) {
    await (await store.session(sessionId)).task(taskId).kill({ graceMs: 0 });
  }
  return `${counted(tasks.length, 'task is', 'tasks are')} stopped`;
}

function ids(tasks: readonly TaskSnapshot[]): string {
  return some(tasks.map(({ taskId }) => taskId));
}

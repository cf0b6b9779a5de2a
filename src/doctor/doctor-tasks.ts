import type { TaskInspection } from '../api/inspect.ts';
import { openStore } from '../api/open-store.ts';
import type { Store } from '../api/store.ts';
import { graceOf } from '../engine/end/stop-request.ts';
import { noFacts } from '../model/fold.ts';
import { overSince, type TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { readLog } from '../tasklog/read-log.ts';
import { counted, type Finding, fine, operands, some, warning } from './finding.ts';
import { checkRecords } from './records.ts';

/** A stop that takes so much longer than its grace does not get on. */
const stopSlackMs = 10_000;

/** A completion that no session has asked for this long has no live session. */
const forgottenMs = 7 * 24 * 3_600_000;

/** How far the doctor has come with the tasks of a store. */
export interface DiagnoseProgress {
  readonly sessions: number;
  readonly ofSessions: number;
  readonly tasks: number;
}

/** What is kept of the tasks of a store, session by session: those that a finding names, and no others. */
interface Survey {
  readonly damaged: string[];
  readonly away: TaskSnapshot[];
  readonly copied: TaskSnapshot[];
  readonly slow: TaskSnapshot[];
  readonly leaving: { readonly task: TaskSnapshot; readonly processes: number }[];
  readonly forgotten: TaskSnapshot[];
  readonly lost: TaskSnapshot[];
}

/** Whether tasks are in a state that somebody should know of. */
export async function checkTasks(
  store: Store,
  onProgress: (progress: DiagnoseProgress) => void,
): Promise<Finding[]> {
  const survey: Survey = {
    damaged: [],
    away: [],
    copied: [],
    slow: [],
    leaving: [],
    forgotten: [],
    lost: [],
  };
  const sessions = store.sessions();
  let count = 0;
  for (const [at, sessionId] of sessions.entries()) {
    for await (const task of store.eachTask({ sessionId, previewBytes: 0 })) {
      await note(survey, store, task);
      count += 1;
    }
    onProgress({ sessions: at + 1, ofSessions: sessions.length, tasks: count });
  }
  return [
    checkRecords(store.dir, survey.damaged),
    elsewhereFinding(survey),
    stopsFinding(store.dir, survey.slow),
    leftoversFinding(store.dir, survey.leaving),
    forgottenFinding(survey.forgotten),
    lostFinding(survey.lost),
  ];
}

async function note(survey: Survey, store: Store, task: TaskSnapshot): Promise<void> {
  const { taskId, sessionId, status, statusReason, delivered } = task;
  if (task.damaged) survey.damaged.push(taskId);
  if (isEnded(status)) {
    // What was acknowledged and has left nothing is over: most tasks of a store.
    if (delivered && task.leftovers.length === 0) return;
    const { processes } = await store.inspect(taskId, { sessionId });
    if (processes.length > 0) survey.leaving.push({ task, processes: processes.length });
    if (!delivered && Date.now() - overSince(task) > forgottenMs) survey.forgotten.push(task);
    if (!delivered && status === 'lost') survey.lost.push(task);
  } else if (statusReason === 'copied') survey.copied.push(task);
  else if (statusReason === 'elsewhere') survey.away.push(task);
  else if (status === 'killing' && isOverdue(await store.inspect(taskId, { sessionId })))
    survey.slow.push(task);
}

function elsewhereFinding({ away, copied }: Survey): Finding {
  if (copied.length > 0)
    return warning(
      'elsewhere',
      `${counted(copied.length, 'task ran', 'tasks ran')} when this store was copied, and ${copied.length === 1 ? 'belongs' : 'belong'} to the original: ${ids(copied)}`,
      'Use the original. If it is gone, set OUTLIVE_ELSEWHERE=lost.',
    );
  if (away.length === 0) return fine('elsewhere', 'every live task runs on this machine');
  return warning(
    'elsewhere',
    `${counted(away.length, 'task belongs', 'tasks belong')} to another machine or container, and cannot be checked from here: ${ids(away)}`,
    'Check them from there. If no other machine uses this store, set OUTLIVE_ELSEWHERE=lost.',
  );
}

/** Tasks that still run after a request to stop them. */
function stopsFinding(dir: string, slow: readonly TaskSnapshot[]): Finding {
  if (slow.length === 0) return fine('stops', 'no stop takes longer than it should');
  return warning(
    'stops',
    `${counted(slow.length, 'task has been stopping for longer than it', 'tasks have been stopping for longer than they')} should: ${ids(slow)}`,
    'No process continues the stop. Stop them again: outlive kill --grace 0s',
    async () => await stopAll(dir, slow),
  );
}

function isOverdue({ logPath }: TaskInspection): boolean {
  const facts = readLog(logPath)?.facts ?? noFacts;
  const { stop } = facts;
  if (stop === undefined || stop.at === null) return false;
  return Date.now() - stop.at > graceOf(facts, stop) + stopSlackMs;
}

/**
 * What ended tasks left running. A snapshot lists the processes at the end; some of them may have ended since. It lists
 * none until a process has settled the task.
 */
function leftoversFinding(dir: string, leaving: Survey['leaving']): Finding {
  const alive = leaving.map(({ task }) => task);
  const count = leaving.reduce((sum, { processes }) => sum + processes, 0);
  if (alive.length === 0) return fine('leftovers', 'no ended task has left a process running');
  return warning(
    'leftovers',
    `${counted(alive.length, 'ended task has', 'ended tasks have')} left ${counted(count, 'process', 'processes')} running: ${ids(alive)}`,
    `That may be intended (a server in the background). Stop them with: outlive kill ${operands(alive.map(({ taskId }) => taskId))}`,
    async () => await stopAll(dir, alive),
  );
}

function forgottenFinding(old: readonly TaskSnapshot[]): Finding {
  if (old.length === 0) return fine('completions', 'no completion has waited for a week');
  const sessions = [...new Set(old.map(({ sessionId }) => sessionId))];
  return warning(
    'completions',
    `${counted(old.length, 'completion', 'completions')} of ${counted(sessions.length, 'session', 'sessions')} unread for a week: ${some(sessions)}`,
    'If a session is over, take its pending completions: outlive completions --ack -s SESSION; prune removes it later.',
  );
}

function lostFinding(lost: readonly TaskSnapshot[]): Finding {
  if (lost.length === 0) return fine('lost', 'no lost task is pending');
  return warning(
    'lost',
    `${counted(lost.length, 'task is gone, and it is not known how it', 'tasks are gone, and it is not known how they')} ended: ${ids(lost)}`,
    'The machine was rebooted, or the shim was killed. See: outlive show TASK --facts',
  );
}

/** The store of the check is closed by the time a person decides to mend. */
async function stopAll(dir: string, tasks: readonly TaskSnapshot[]): Promise<string> {
  await using store = await openStore({ dir });
  for (const { sessionId, taskId } of tasks) {
    await (await store.session(sessionId)).task(taskId).kill({ graceMs: 0, ack: false });
  }
  return `${counted(tasks.length, 'task is', 'tasks are')} stopped`;
}

function ids(tasks: readonly TaskSnapshot[]): string {
  return some(tasks.map(({ taskId }) => taskId));
}

import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { OutliveError, taskNotFound } from '../errors/error.ts';
import { isForeseen } from '../errors/expected.ts';
import type { ActData, Action, Failure } from './protocol.ts';

/** How many tasks it acts on at once. */
const atOnce = 8;

/** The result for each task, in the order in which the actions finish. */
export async function* act(
  store: Store,
  action: Action,
  taskIds: readonly string[],
  abortSignal: AbortSignal,
): AsyncGenerator<ActData, void, undefined> {
  const ids = [...new Set(taskIds)];
  if (action === 'prune') return yield* pruned(store, ids);
  const running = new Map<string, Promise<ActData>>();
  for (const taskId of ids) {
    // If the page is gone, actions that have begun finish, and no others begin.
    if (abortSignal.aborted) break;
    running.set(taskId, done(taskId, actOn(store, action, taskId)));
    if (running.size >= atOnce) yield await firstOf(running);
  }
  while (running.size > 0) yield await firstOf(running);
}

async function firstOf(running: Map<string, Promise<ActData>>): Promise<ActData> {
  const first = await Promise.race(running.values());
  running.delete(first.taskId);
  return first;
}

async function actOn(store: Store, action: Action, taskId: string): Promise<string | undefined> {
  switch (action) {
    case 'stop':
      await store.task(taskId).kill();
      return undefined;
    case 'acknowledge':
      if (!(await store.task(taskId).ack()) && !store.task(taskId).snapshot().delivered)
        throw new OutliveError('INVALID_ARGUMENT', 'expected a task that has ended; found that it runs.');
      return undefined;
    case 'restart':
      return await restarted(store, taskId);
    default:
      throw new Error(`expected an action on one task; found ${action}`);
  }
}

/** How many restarts are in progress in each session that was opened for them. */
const restarting = new WeakMap<Session, number>();

/**
 * A restart spawns a task, which takes an open session. The session is closed after the last restart, since a viewer
 * must not supervise tasks. The end of the old task stays pending: its agent is told.
 */
async function restarted(store: Store, taskId: string): Promise<string> {
  const session = await store.session(store.task(taskId).snapshot().sessionId);
  restarting.set(session, (restarting.get(session) ?? 0) + 1);
  try {
    return (await session.task(taskId).restart({ ack: false })).id;
  } finally {
    const left = (restarting.get(session) ?? 1) - 1;
    restarting.set(session, left);
    if (left === 0) await session.close();
  }
}

async function done(taskId: string, work: Promise<string | undefined>): Promise<ActData> {
  try {
    const newTaskId = await work;
    return { taskId, error: null, ...(newTaskId !== undefined && { newTaskId }) };
  } catch (error) {
    return { taskId, error: failureOf(error) };
  }
}

/**
 * Prunes all tasks in one call, since each call goes through the sessions. Pending and running tasks are kept, and the
 * answer says so.
 */
async function* pruned(store: Store, ids: readonly string[]): AsyncGenerator<ActData, void, undefined> {
  const { taskIds, kept } = await store.prune({ taskIds: ids });
  const removed = new Set(taskIds);
  const because = new Map(kept.map((one) => [one.taskId, one.because]));
  for (const taskId of ids) {
    const reason = because.get(taskId);
    const error = removed.has(taskId)
      ? null
      : reason === undefined
        ? failureOf(taskNotFound(null, taskId))
        : { code: 'KEPT', message: keptWords[reason] ?? reason };
    yield { taskId, error };
  }
}

const keptWords: Readonly<Record<string, string>> = {
  running: 'it is kept: it runs',
  unread: 'it is kept: its end is pending. Acknowledge it first',
  watched: 'it is kept: a watch is open',
  leftovers: 'it is kept: processes that it left are alive',
};

/** What a page is told about an error. A mistake in the program is thrown again. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OutliveError) return { code: error.code, message: error.message };
  if (isForeseen(error)) return { code: 'SYSTEM', message: (error as Error).message };
  throw error;
}

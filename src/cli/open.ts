import { openStore, openStoreToWait } from '../api/open-store.ts';
import type { Store } from '../api/store.ts';
import type { Task } from '../api/task.ts';
import { chosenSession } from '../engine/session/conversation.ts';
import { OutliveError, shown } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Io } from './io.ts';

/** Options that every verb has. */
export interface CommonOptions {
  readonly session?: string;
  readonly store?: string;
}

/** The session that is meant: `--session`, else `$OUTLIVE_SESSION`, else that of the agent's conversation, else `default`. */
export function sessionIdOf(options: CommonOptions): string {
  return namedSession(options) ?? 'default';
}

/** The same; null when neither the caller nor the environment names one. */
export function namedSession({ session }: CommonOptions): string | null {
  return chosenSession({ named: session, env: process.env });
}

/** Opens the store that is meant to read from it, which changes nothing and makes nothing. */
export async function withStoreToRead<T>(
  options: CommonOptions,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  return await withOpen(await openStore({ ...storeOf(options), readOnly: true }), work);
}

/** Opens the store that is meant for a wait, or to take completions: nothing old is removed, and no output is shortened. */
export async function withStoreToWait<T>(
  options: CommonOptions,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  return await withOpen(await openStoreToWait(storeOf(options)), work);
}

/** Opens the store that is meant, and closes it when the work is done: tasks go on. */
export async function withStore<T>(options: CommonOptions, work: (store: Store) => Promise<T>): Promise<T> {
  return await withOpen(await openStoreOf(options), work);
}

/** Opens the store that is meant; who calls closes it. */
export async function openStoreOf(options: CommonOptions): Promise<Store> {
  return await openStore(storeOf(options));
}

/** The same for {@link withStoreToWait}. */
export async function openStoreToWaitOf(options: CommonOptions): Promise<Store> {
  return await openStoreToWait(storeOf(options));
}

function storeOf({ store }: CommonOptions): { readonly dir?: string } {
  return store === undefined ? {} : { dir: store };
}

async function withOpen<T>(store: Store, work: (store: Store) => Promise<T>): Promise<T> {
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/**
 * The snapshot of the task that is named. When it is found by a name that only another session has, the answer says so.
 * @param io null: that was said before.
 */
export function findOne(
  io: Io | null,
  store: Store,
  reference: string,
  options: CommonOptions,
): TaskSnapshot {
  if (reference === '')
    throw new OutliveError(
      'USAGE',
      'expected the id or name of a task; found an empty one. See: outlive ps -a',
    );
  const found = findIn(store, reference, sessionIdOf(options));
  if (!isOwn(found, options) && !found.taskId.startsWith(reference))
    io?.note(
      `session ${shown(sessionIdOf(options))} has no task named ${shown(reference)}: this is ${found.taskId} of session ${shown(found.sessionId)}`,
    );
  return found;
}

/** What is like a task of a fleet and is none here is taken for one that was not named in full. */
function findIn(store: Store, reference: string, sessionId: string): TaskSnapshot {
  try {
    return store.find(reference, sessionId);
  } catch (error) {
    const isLikeRemote = /^[a-z0-9-]{1,63}\/[^/]+$/.test(reference);
    if (!isLikeRemote || !(error instanceof OutliveError) || error.code !== 'TASK_NOT_FOUND') throw error;
    throw new OutliveError(
      'TASK_NOT_FOUND',
      `expected a task of this machine, or one of a fleet by its host and its whole id, as in h3/bgb-0123456789ab; found ${shown(reference)}. See: outlive ps -a, or: outlive ps --fleet -a`,
      { cause: error },
    );
  }
}

/** The snapshots of the tasks that are named, each once. */
export function findAll(
  io: Io | null,
  store: Store,
  references: readonly string[],
  options: CommonOptions,
): TaskSnapshot[] {
  const found = references.map((reference) => findOne(io, store, reference, options));
  return [...new Map(found.map((snapshot) => [snapshot.taskId, snapshot])).values()];
}

/**
 * Whether a task is of the session that is meant: only of such ends this command acknowledges what it prints. A task of
 * another session, named by its id, is looked at.
 */
export function isOwn({ sessionId }: TaskSnapshot, options: CommonOptions): boolean {
  return sessionId === sessionIdOf(options);
}

/** The handle of a task, in whichever session it is. */
export async function handleOf(store: Store, { sessionId, taskId }: TaskSnapshot): Promise<Task> {
  return (await store.session(sessionId)).task(taskId);
}

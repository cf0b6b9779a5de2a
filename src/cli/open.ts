import { openStore } from '../api/open-store.ts';
import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import type { Task } from '../api/task.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';

/** Options that every verb has. */
export interface CommonOptions {
  readonly session?: string;
  readonly store?: string;
}

/** The session that is meant: `--session`, else `$OUTLIVE_SESSION`, else `default`. */
export function sessionIdOf(options: CommonOptions): string {
  return options.session ?? (process.env.OUTLIVE_SESSION || 'default');
}

/** Opens the store that is meant, and closes it when the work is done: tasks go on. */
export async function withStore<T>(options: CommonOptions, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(options.store === undefined ? {} : { dir: options.store });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The same with its session. */
export async function withSession<T>(
  options: CommonOptions,
  work: (session: Session, store: Store) => Promise<T>,
): Promise<T> {
  return await withStore(
    options,
    async (store) => await work(await store.session(sessionIdOf(options)), store),
  );
}

/** The snapshots of the tasks that are named, each once. */
export function findAll(store: Store, references: readonly string[], options: CommonOptions): TaskSnapshot[] {
  const found = references.map((reference) => store.find(reference, sessionIdOf(options)));
  return [...new Map(found.map((snapshot) => [snapshot.taskId, snapshot])).values()];
}

/** The handle of a task, in whichever session it is. */
export async function handleOf(store: Store, { sessionId, taskId }: TaskSnapshot): Promise<Task> {
  return (await store.session(sessionId)).task(taskId);
}

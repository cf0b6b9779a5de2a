import type { Session } from '../../api/session.ts';
import type { Store } from '../../api/store.ts';
import type { StoreTask } from '../../api/store-task.ts';
import { expected, isExpected, tolerate } from '../../errors/expected.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { holderOf } from '../../tasklog/keys.ts';
import { sessionPaths } from '../../tasklog/paths.ts';
import type { AttemptName } from '../wire/messages.ts';
import { isTaskId } from '../wire/names.ts';

/** No limit for a single session: the slots of the host limit what runs. */
const maxRunning = 100_000;

const noTask = expected('TASK_NOT_FOUND');
const notOpen = expected('CLOSED', 'STORE_UNWRITABLE', 'READ_FAILED');

/** The tasks of the fleet in the host's own store. The key of a task names its attempt. */
export class LocalTasks {
  readonly store: Store;
  readonly #holders = new Map<string, number>();
  readonly #closing = new Map<string, Promise<void>>();

  constructor(store: Store) {
    this.store = store;
  }

  /** All running tasks, and all tasks with a pending end. It reads the whole store, so an agent calls it only at its start. */
  async *unfinished(): AsyncGenerator<TaskSnapshot, void, undefined> {
    for (const sessionId of this.store.sessions()) {
      for await (const task of this.store.eachTask({ sessionId, live: true, previewBytes: 0 })) yield task;
      // This includes tasks that have ended in the meantime.
      yield* await this.store.pending(sessionId);
    }
  }

  /**
   * The task of a session with a key, even if it has ended and was acknowledged; `null`: nothing was started with the
   * key, or the record of the task was removed.
   * @throws OutliveError `TASK_NOT_FOUND`, `READ_FAILED` if there is a task that cannot be read.
   */
  withKey(sessionId: string, key: string): TaskSnapshot | null {
    const holder = holderOf(sessionPaths(this.store.dir, sessionId), key);
    return holder === null ? null : (this.find(holder.taskId)?.snapshot() ?? null);
  }

  /** The handle of a task; `null`: its record was removed. */
  find(taskId: string): StoreTask | null {
    try {
      return this.store.task(taskId);
    } catch (error) {
      if (isExpected(error, noTask)) return null;
      throw error;
    }
  }

  /** Opens a session, and keeps it open until {@link LocalTasks.release} was called as often. */
  async hold(sessionId: string): Promise<Session> {
    this.#holders.set(sessionId, (this.#holders.get(sessionId) ?? 0) + 1);
    await this.#closing.get(sessionId);
    try {
      return await this.store.session(sessionId, { maxRunning });
    } catch (error) {
      await this.release(sessionId);
      throw error;
    }
  }

  /**
   * Closes a session that nobody holds. A host with thousands of sessions must watch only those in which a task runs.
   */
  async release(sessionId: string): Promise<void> {
    const left = (this.#holders.get(sessionId) ?? 1) - 1;
    if (left > 0) {
      this.#holders.set(sessionId, left);
      return;
    }
    this.#holders.delete(sessionId);
    const closing = this.#close(sessionId);
    this.#closing.set(sessionId, closing);
    await closing;
  }

  /** Closes the sessions that are held. A caller that waits in one gets `CLOSED`. */
  async close(): Promise<void> {
    await Promise.all([...this.#holders.keys()].map((sessionId) => this.#close(sessionId)));
  }

  async #close(sessionId: string): Promise<void> {
    try {
      await (await this.store.session(sessionId)).close();
    } catch (error) {
      // The session could not be opened, or the store is closed. So the session is not open.
      tolerate(error, notOpen, 'closing a session');
    } finally {
      this.#closing.delete(sessionId);
    }
  }
}

/** The attempt that the key of a local task names; `null`: the task does not belong to the fleet. */
export function attemptOfKey(key: string | null): AttemptName | null {
  const [, task = '', number = ''] = /^fleet\.([^.]+)\.([1-9]\d{0,6})$/.exec(key ?? '') ?? [];
  return isTaskId(task) ? { task, attempt: Number(number) } : null;
}

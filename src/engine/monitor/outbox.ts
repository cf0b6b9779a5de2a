import type { TaskSnapshot } from '../../model/snapshot.ts';
import { holdProcess } from '../../util/wait.ts';
import type { ListeningPort } from '../processes/listening.ts';
import type { TaskUsage } from '../processes/usage.ts';

/** Something that has changed in a store. */
export type StoreChange =
  /** A task is new, or is not what it was. */
  | { readonly type: 'changed'; readonly task: TaskSnapshot }
  /** The record of a task was removed. */
  | { readonly type: 'gone'; readonly taskId: string; readonly sessionId: string }
  /** A session was made, with its first task, or removed, after its last one. */
  | { readonly type: 'session'; readonly sessionId: string; readonly state: 'made' | 'removed' }
  /** What tasks use now, with `usage: true`. */
  | {
      readonly type: 'usage';
      /** By the ids of the tasks. Those without a live process of this machine are left out. */
      readonly usage: Readonly<Record<string, TaskUsage>>;
      /** The TCP ports at which their processes listen, by the ids of those that do. Empty on macOS, which lists none. */
      readonly ports: Readonly<Record<string, readonly ListeningPort[]>>;
      /** The time over which CPU was measured, in milliseconds. */
      readonly sampleMs: number;
    };

/**
 * What a reader has not taken yet. Of each task, of each session and of the usage only the newest is kept, so a reader that is slow,
 * or has stopped, costs no more than the store has tasks.
 */
export class Outbox {
  readonly #waiting = new Map<string, StoreChange>();
  #wake: (() => void) | undefined;

  put(change: StoreChange): void {
    const key = keyOf(change);
    // What is said of a session comes after what has been said of its tasks until now.
    if (change.type === 'session' || change.type === 'usage') this.#waiting.delete(key);
    this.#waiting.set(key, change);
    this.#wake?.();
  }

  /** The change that has waited longest; `undefined` if no change waits. */
  take(): StoreChange | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    this.#waiting.delete(first[0]);
    return first[1];
  }

  /** Resolves when there is something to take, or when aborted. Only who waits keeps the process. */
  async next(abortSignal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.size > 0 || abortSignal?.aborted) return;
    const release = holdProcess();
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        // The signal may live as long as the process.
        abortSignal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake = wake;
      abortSignal?.addEventListener('abort', wake);
    });
    this.#wake = undefined;
    release();
  }
}

function keyOf(change: StoreChange): string {
  switch (change.type) {
    case 'changed':
      return change.task.taskId;
    case 'gone':
      return change.taskId;
    case 'session':
      return `session ${change.sessionId}`;
    case 'usage':
      return 'usage';
  }
}

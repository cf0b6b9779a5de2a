import type { Session } from '../api/session.ts';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { after, yieldToOthers } from '../util/wait.ts';
import { findTask } from './find-task.ts';

/** So many completions are taken in one go; a session may owe thousands when it is opened. */
const goSize = 50;

/** After a failure the completions are asked for again so much later. */
const againMs = 1_000;

/**
 * One open session, as its clients see it. Holds the ids of what is owed, and nothing else of a task that has
 * ended.
 */
export class Desk {
  readonly session: Session;
  readonly #owed = new Set<string>();
  readonly #listeners = new Set<(completion: TaskSnapshot) => void>();
  readonly #spawnListeners = new Set<() => void>();

  constructor(session: Session) {
    this.session = session;
    this.#collectForGood().catch(() => undefined);
  }

  /** Calls back with each completion that comes to be owed, until the returned function is called. */
  onCompletion(listener: (completion: TaskSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back when a task was spawned from here, until the returned function is called. */
  onSpawn(listener: () => void): () => void {
    this.#spawnListeners.add(listener);
    return () => this.#spawnListeners.delete(listener);
  }

  /** Says that a task was spawned. */
  spawned(): void {
    for (const listener of [...this.#spawnListeners]) listener();
  }

  /**
   * The task that a client means: by id, name, or the beginning of the id.
   * @throws OutliveError `TASK_NOT_FOUND`, `INVALID_ARGUMENT` when several have that name.
   */
  async find(reference: string): Promise<TaskSnapshot> {
    return await findTask(this.session, reference);
  }

  /** A task by its id; null when this session has none of it. */
  snapshot(taskId: string): TaskSnapshot | null {
    try {
      return this.session.task(taskId).snapshot();
    } catch {
      return null;
    }
  }

  /**
   * What is owed now, in the order of the ends, without what is not wanted.
   * @param most so many at most; how many more there are is in `left`.
   */
  owed(wanted: (taskId: string) => boolean, most: number): { found: TaskSnapshot[]; left: number } {
    const found: TaskSnapshot[] = [];
    let left = 0;
    for (const taskId of [...this.#owed]) {
      if (!wanted(taskId)) continue;
      if (found.length >= most) {
        left += 1;
        continue;
      }
      const snapshot = this.snapshot(taskId);
      if (snapshot === null || snapshot.delivered) this.#owed.delete(taskId);
      // One is told of an end before it is on disk; a moment later it is.
      else if (isEnded(snapshot.status)) found.push(snapshot);
    }
    return { found, left };
  }

  /** Acknowledges a completion: its receipt was shown. */
  async acknowledge(taskId: string): Promise<void> {
    this.#owed.delete(taskId);
    await this.session.task(taskId).ack();
  }

  /** Whatever a disk does (no descriptor left, an error of the device), the next second it may not. */
  async #collectForGood(): Promise<void> {
    for (;;) {
      try {
        return await this.#collect();
      } catch (error) {
        if (error instanceof OutliveError && error.code === 'CLOSED') return;
        await new Promise<void>((resolve) => after(againMs, resolve));
      }
    }
  }

  async #collect(): Promise<void> {
    let taken = 0;
    for await (const completion of this.session.completions()) {
      this.#owed.add(completion.taskId);
      for (const listener of [...this.#listeners]) listener(completion);
      taken += 1;
      if (taken % goSize === 0) await yieldToOthers();
    }
  }
}

import { expected, isExpected } from '../../errors/expected.ts';
import { isOver, type TaskSnapshot } from '../../model/snapshot.ts';
import { monotonicMs, sleep } from '../../util/wait.ts';
import { spawnKeyOf } from '../wire/assignment.ts';
import type { Attempt, LocalPlace } from './attempts.ts';
import { endOf, endWithout } from './end-of.ts';
import type { Parts } from './parts.ts';

const noTask = expected('TASK_NOT_FOUND');
const closed = expected('CLOSED');

/** How long it waits before it looks again at a task that it could not read, in milliseconds. */
const againMs = 1_000;

/** What is known about a local task. `not started`: it never ran, and another task will take its place. */
type Found = 'over' | 'not started' | 'nothing';

/** What to do with an attempt when its task has ended. */
interface Next {
  readonly over: (attempt: Attempt) => void;
}

/** Follows the local tasks of attempts until they have ended, and stops those that no longer belong to the host. */
export class Running {
  readonly #parts: Parts;
  readonly #next: Next;

  constructor(parts: Parts, next: Next) {
    this.#parts = parts;
    this.#next = next;
  }

  /** Waits in the background for the end of an attempt that has a local task. */
  follow(attempt: Attempt): void {
    attempt.phase = 'running';
    if (attempt.local === null) return;
    this.#parts.inBackground('following a task of the fleet', this.#untilOver(attempt, attempt.local));
    if (attempt.isFenced || attempt.isCancelled) this.stop(attempt);
  }

  /** Stops all processes of an attempt's task, unless a stop is in progress. */
  stop(attempt: Attempt): void {
    const task = attempt.local && this.#parts.local.find(attempt.local.taskId);
    if (!task || attempt.isStopping) return;
    attempt.isStopping = true;
    const stopped = task.kill().finally(() => {
      attempt.isStopping = false;
    });
    this.#parts.inBackground('stopping a task of the fleet', stopped);
  }

  async #untilOver(attempt: Attempt, place: LocalPlace): Promise<void> {
    while (this.#parts.isOpen()) {
      const begin = monotonicMs();
      const found = await this.#untilFound(attempt, place);
      if (found === 'over') this.#next.over(attempt);
      if (found !== 'nothing') return this.#parts.attempts.changed(attempt);
      if (this.#parts.isOpen() && monotonicMs() - begin < againMs) await sleep(againMs);
    }
  }

  async #untilFound(attempt: Attempt, place: LocalPlace): Promise<Found> {
    try {
      return await this.#untilEnded(attempt, place);
    } catch (error) {
      if (isExpected(error, closed)) return 'nothing';
      if (isExpected(error, noTask)) return this.#lost(attempt);
      this.#parts.report('following a task of the fleet', error);
      return 'nothing';
    }
  }

  async #untilEnded(attempt: Attempt, { sessionId, taskId }: LocalPlace): Promise<Found> {
    const { local } = this.#parts;
    const session = await local.hold(sessionId);
    try {
      const snapshot = await session.task(taskId).wait({ ack: false });
      // Another task has this id now.
      if (snapshot.key !== spawnKeyOf(attempt)) return this.#lost(attempt);
      const task = local.find(taskId);
      if (!isOver(snapshot) || task === null) return 'nothing';
      if (hasNeverRun(snapshot) && attempt.abortedId !== taskId && !attempt.isFenced) {
        await this.#startAnew(attempt, taskId);
        return 'not started';
      }
      attempt.end = await endOf(task, snapshot);
      return 'over';
    } finally {
      await local.release(sessionId);
    }
  }

  #lost(attempt: Attempt): Found {
    attempt.end = endWithout('lost');
    attempt.reason = 'The host no longer has a record of the task.';
    return 'over';
  }

  /**
   * The process that should have started the task died before. The store says that the task never runs, so this agent
   * starts over as if nothing was spawned.
   */
  async #startAnew(attempt: Attempt, taskId: string): Promise<void> {
    attempt.abortedId = taskId;
    attempt.local = null;
    attempt.isWon = false;
    attempt.phase = 'starting';
    this.#parts.records.save(attempt, 'accepting');
    await this.#parts.local.find(taskId)?.ack();
    // The coordinator knows whether the attempt still belongs to the host.
    this.#parts.compareSoon();
  }
}

/** Whether the store says that a task has not run, and never will. */
export function hasNeverRun({ statusReason }: TaskSnapshot): boolean {
  return statusReason === 'spawn_aborted';
}

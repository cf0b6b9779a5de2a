import { randomBytes } from 'node:crypto';
import type { CompletionConsumer, SessionContext } from '../engine/context.ts';
import { acknowledge, claim, owedCompletion, unclaim } from '../engine/deliver.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { after, holdProcess, type Timer } from '../util/wait.ts';

/** The notice that a task ended: its snapshot, and a way to say that it was used. */
export interface Completion extends TaskSnapshot {
  /**
   * Acknowledges it; until then it is owed and will be delivered again.
   * @returns whether this call was the first, among all processes.
   */
  ack(): Promise<boolean>;
}

/** How to take completions. */
export interface CompletionsOptions {
  /** Ends the iteration without an error. */
  readonly abortSignal?: AbortSignal;
  /**
   * Claim each completion before it is handed out, so that of several live consumers, also in other
   * processes, a single one handles it. @default false
   */
  readonly exclusive?: boolean;
}

/** A claim of somebody else ends with his process, which sends no event; so often we look. */
const contestedAgainMs = 1_000;

/** A completion made of a snapshot. */
export function completionOf(context: SessionContext, snapshot: TaskSnapshot): Completion {
  return { ...snapshot, ack: async () => acknowledge(context, snapshot.taskId) };
}

/** Everything that is owed now, the oldest end first. */
export function owedNow(context: SessionContext): TaskSnapshot[] {
  return [...context.owed]
    .map((taskId) => owedCompletion(context, taskId))
    .filter((snapshot) => snapshot !== null)
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
}

/** Takes all that is owed, acknowledged. Whatever goes wrong on the way, what was acknowledged is answered. */
export function drain(context: SessionContext): TaskSnapshot[] {
  const taken: TaskSnapshot[] = [];
  for (const snapshot of owedNow(context)) {
    try {
      if (acknowledge(context, snapshot.taskId)) taken.push({ ...snapshot, delivered: true });
    } catch (error) {
      if (taken.length === 0) throw error;
      // The rest is owed, and next time it is seen why it could not be taken.
      break;
    }
  }
  return taken;
}

/** Yields what is owed and then what comes to be owed, each once, until aborted or closed. */
export async function* completions(
  context: SessionContext,
  options: CompletionsOptions,
): AsyncGenerator<Completion, void, undefined> {
  const consumer = new Consumer(context, options.exclusive === true);
  const stop = (): void => consumer.stop();
  options.abortSignal?.addEventListener('abort', stop, { once: true });
  if (options.abortSignal?.aborted) stop();
  context.consumers.add(consumer);
  try {
    for (const snapshot of owedNow(context)) consumer.offer(snapshot.taskId, null);
    for (;;) {
      const next = await consumer.next();
      if (next === null) return;
      yield completionOf(context, next);
    }
  } finally {
    options.abortSignal?.removeEventListener('abort', stop);
    context.consumers.delete(consumer);
    consumer.close();
  }
}

class Consumer implements CompletionConsumer {
  readonly #context: SessionContext;
  readonly #claimId: string | null;
  /** What waits to be handed out; with the snapshot only while somebody waits for it. */
  readonly #queue = new Map<string, TaskSnapshot | null>();
  /** Handed out and perhaps not acknowledged: not handed out again to this consumer. */
  readonly #seen = new Set<string>();
  readonly #contested = new Set<string>();
  #retry: Timer | undefined;
  #wake: (() => void) | undefined;
  #stopped = false;

  constructor(context: SessionContext, exclusive: boolean) {
    this.#context = context;
    this.#claimId = exclusive ? randomBytes(6).toString('hex') : null;
  }

  offer(taskId: string, snapshot: TaskSnapshot | null): void {
    if (this.#seen.has(taskId) || this.#queue.has(taskId)) return;
    this.#contested.delete(taskId);
    this.#queue.set(taskId, this.#wake === undefined ? null : snapshot);
    this.#wake?.();
  }

  /** Ends the iteration; what was not handed out stays owed. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async next(): Promise<TaskSnapshot | null> {
    for (;;) {
      if (this.#stopped || this.#context.closed) return null;
      const ready = this.#takeReady();
      if (ready !== null) return ready;
      // Only who waits keeps the process; an iterator that was left alone does not.
      const release = holdProcess();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
      release();
    }
  }

  /** Gives back what was claimed and not acknowledged. */
  close(): void {
    this.#retry?.cancel();
    if (this.#claimId === null) return;
    for (const taskId of this.#seen) {
      if (this.#context.owed.has(taskId)) unclaim(this.#context, taskId, this.#claimId);
    }
  }

  #takeReady(): TaskSnapshot | null {
    for (const taskId of this.#seen) if (!this.#context.owed.has(taskId)) this.#seen.delete(taskId);
    for (const [taskId, snapshot] of this.#queue) {
      this.#queue.delete(taskId);
      const found = this.#find(taskId, snapshot);
      if (found === null) continue;
      this.#seen.add(taskId);
      return found;
    }
    return null;
  }

  #find(taskId: string, snapshot: TaskSnapshot | null): TaskSnapshot | null {
    try {
      const ready = this.#claimId === null ? snapshot : this.#claimed(taskId, this.#claimId);
      return ready === null && !this.#contested.has(taskId) ? owedCompletion(this.#context, taskId) : ready;
    } catch {
      // It cannot be read just now. The iteration goes on: who takes completions does so for as long as he lives.
      this.#contest(taskId);
      return null;
    }
  }

  #claimed(taskId: string, claimId: string): TaskSnapshot | null {
    const result = claim(this.#context, taskId, claimId);
    if (result === 'ours') return owedCompletion(this.#context, taskId);
    if (result === 'taken') this.#contest(taskId);
    return null;
  }

  #contest(taskId: string): void {
    this.#contested.add(taskId);
    this.#retry ??= after(contestedAgainMs, () => {
      this.#retry = undefined;
      for (const id of [...this.#contested]) this.offer(id, null);
    });
  }
}

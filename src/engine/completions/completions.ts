import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { overSince, type TaskSnapshot } from '../../model/snapshot.ts';
import { randomHex } from '../../util/crypto.ts';
import { after, holdProcess, type Timer, unhurried } from '../../util/wait.ts';
import { withKeys } from '../../util/with-keys.ts';
import { report } from '../session/background.ts';
import type { CompletionConsumer, SessionContext } from '../session/context.ts';
import { checkAbortSignal, checkFlag } from '../session/validate.ts';
import { acknowledge, pendingCompletion } from './acknowledge.ts';
import { claim, unclaim } from './claim.ts';

/** The notice that a task ended: its snapshot, and a way to say that it was used. */
export type Completion = TaskSnapshot & {
  /**
   * Acknowledges it; until then it is pending and will be delivered again.
   * @returns whether this call was the first, among all processes.
   */
  ack(): Promise<boolean>;
};

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

const completionsOptionNames: OptionNames<CompletionsOptions> = { abortSignal: true, exclusive: true };

/** The claim of another process ends with that process, which sends no event. So this process checks this often. */
const contestedAgainMs = 1_000;

/** A completion made of a snapshot. */
export function completionOf(context: SessionContext, snapshot: TaskSnapshot): Completion {
  return withKeys(snapshot, { ack: async () => acknowledge(context, snapshot.taskId) });
}

/** Every completion that is pending now, the oldest end first. */
export async function pendingNow(context: SessionContext): Promise<TaskSnapshot[]> {
  const found: TaskSnapshot[] = [];
  for await (const taskId of unhurried([...context.pending])) {
    const snapshot = pendingCompletion(context, taskId);
    if (snapshot !== null) found.push(snapshot);
  }
  return found.sort((a, b) => overSince(a) - overSince(b));
}

/** Takes all pending completions and acknowledges them. Whatever goes wrong on the way, what was acknowledged is answered. */
export async function takePending(context: SessionContext): Promise<TaskSnapshot[]> {
  const taken: TaskSnapshot[] = [];
  for await (const snapshot of unhurried(await pendingNow(context))) {
    try {
      if (acknowledge(context, snapshot.taskId)) taken.push({ ...snapshot, delivered: true });
    } catch (error) {
      if (taken.length === 0) throw error;
      // The rest is pending, and next time it is seen why it could not be taken.
      report(context, 'acknowledging a completion', error, { taskId: snapshot.taskId });
      break;
    }
  }
  return taken;
}

/** Yields the pending completions and then those that come, each once, until aborted or closed. */
export async function* completions(
  context: SessionContext,
  options: CompletionsOptions,
): AsyncGenerator<Completion, void, undefined> {
  checkOptions('session.completions()', options, completionsOptionNames);
  const { exclusive = false } = options;
  checkAbortSignal(options.abortSignal);
  const consumer = new Consumer(context, checkFlag('exclusive', exclusive));
  const stop = (): void => consumer.stop();
  options.abortSignal?.addEventListener('abort', stop, { once: true });
  if (options.abortSignal?.aborted) stop();
  try {
    const before = (await pendingNow(context)).map(({ taskId }) => taskId);
    context.consumers.add(consumer);
    // Others have ended while these were read: they come after them.
    for (const taskId of [...before, ...context.pending]) consumer.offer(taskId, null);
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
    this.#claimId = exclusive ? randomHex(6) : null;
  }

  offer(taskId: string, snapshot: TaskSnapshot | null): void {
    if (this.#seen.has(taskId) || this.#queue.has(taskId)) return;
    this.#contested.delete(taskId);
    this.#queue.set(taskId, this.#wake === undefined ? null : snapshot);
    this.#wake?.();
  }

  /** Ends the iteration; what was not handed out stays pending. */
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
      if (this.#context.pending.has(taskId)) unclaim(this.#context, taskId, this.#claimId);
    }
  }

  #takeReady(): TaskSnapshot | null {
    for (const taskId of this.#seen) if (!this.#context.pending.has(taskId)) this.#seen.delete(taskId);
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
      return ready === null && !this.#contested.has(taskId)
        ? pendingCompletion(this.#context, taskId)
        : ready;
    } catch (error) {
      // It cannot be read now. The iteration continues: a consumer takes completions as long as it lives.
      report(this.#context, 'checking a completion', error, { taskId });
      this.#contest(taskId);
      return null;
    }
  }

  #claimed(taskId: string, claimId: string): TaskSnapshot | null {
    const { result } = claim(this.#context, taskId, { id: claimId });
    if (result === 'ours') return pendingCompletion(this.#context, taskId);
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

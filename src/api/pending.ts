import { findLeftovers, toldLeftovers } from '../engine/end/settle.ts';
import { asLeftovers } from '../engine/processes/members.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { describe, observe } from '../engine/session/observe.ts';
import { shimLives } from '../engine/session/shim-control.ts';
import { checkAbortSignal } from '../engine/session/validate.ts';
import { taskIds } from '../engine/store/listing.ts';
import { Changes } from '../engine/watches/output-watcher.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { monotonicMs, unhurried } from '../util/wait.ts';

/** How to follow pending completions. */
export interface FollowPendingOptions {
  /** Ends the iteration without an error. */
  readonly abortSignal?: AbortSignal;
}

const followPendingOptionNames: OptionNames<FollowPendingOptions> = { abortSignal: true };

/**
 * How long a follower gives the processes that watch the task to settle it, in milliseconds: one who waits for it may be about to
 * acknowledge it.
 */
const settledWithinMs = 200;

/** The pending ends of a session, the oldest first. Nothing is settled for it. */
export async function pendingIn(context: SessionContext): Promise<TaskSnapshot[]> {
  return await new Pending(context).next();
}

/** Yields the pending ends of a session, and then those that come, each once. */
export async function* followPendingIn(
  context: SessionContext,
  options: FollowPendingOptions,
): AsyncGenerator<TaskSnapshot, void, undefined> {
  const { abortSignal } = checkOptions('store.followPending()', options, followPendingOptionNames);
  checkAbortSignal(abortSignal);
  const pending = new Pending(context);
  const changes = new Changes([context.paths.tasks]);
  try {
    while (!abortSignal?.aborted) {
      changes.reset();
      for (const snapshot of await pending.next({ patient: true })) yield snapshot;
      if (!abortSignal?.aborted) await changes.next(abortSignal);
    }
  } finally {
    changes.close();
  }
}

class Pending {
  readonly #context: SessionContext;
  /** Tasks with no more news. */
  readonly #over = new Set<string>();
  /** Ends that nobody has settled, and when they were seen first, in milliseconds of `monotonicMs()`. */
  readonly #unsettled = new Map<string, number>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * What has become pending since the last call, the oldest end first.
   * @param options `patient`: an end that nobody has settled yet is told by a later call.
   */
  async next({ patient = false } = {}): Promise<TaskSnapshot[]> {
    const found: TaskSnapshot[] = [];
    const ids = taskIds(this.#context).filter((taskId) => !this.#over.has(taskId));
    for await (const taskId of unhurried(ids)) {
      const snapshot = await this.#look(taskId, patient);
      if (snapshot !== null) found.push(snapshot);
    }
    return found.sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  }

  async #look(taskId: string, patient: boolean): Promise<TaskSnapshot | null> {
    const context = this.#context;
    const observed = observe(context, taskId);
    const decision = observed?.decision;
    if (observed === null || decision === undefined || decision.state === 'live') return null;
    if (patient && decision.state === 'settle' && this.#isNew(taskId)) return null;
    const snapshot = describe(context, taskId, observed);
    const told = decision.state === 'ended' ? snapshot.leftovers : toldLeftovers(observed);
    // Its shim is about to say what is left, and the log changes with that.
    if (told === 'later' && shimLives(context, observed.facts)) return null;
    this.#over.add(taskId);
    this.#unsettled.delete(taskId);
    if (snapshot.delivered) return null;
    const isTold = told !== null && told !== 'later';
    const leftovers = isTold ? told : asLeftovers(await findLeftovers(context, taskId, observed));
    return { ...snapshot, leftovers };
  }

  #isNew(taskId: string): boolean {
    const seenAt = this.#unsettled.get(taskId) ?? monotonicMs();
    this.#unsettled.set(taskId, seenAt);
    return monotonicMs() - seenAt < settledWithinMs;
  }
}

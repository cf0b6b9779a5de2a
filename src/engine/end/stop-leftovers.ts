import type { StopFact } from '../../model/facts.ts';
import type { Leftover } from '../../model/words.ts';
import { maySignal } from '../../platform/signal.ts';
import { holdProcess, monotonicMs, sleep } from '../../util/wait.ts';
import { findMembers, treeOf } from '../processes/members.ts';
import type { SessionContext } from '../session/context.ts';
import { type Observed, observe } from '../session/observe.ts';
import { nudge, shimHasMs, shimLives } from '../session/shim-control.ts';
import { elsewhere } from './stop-errors.ts';
import { endLeftovers } from './stop-from-outside.ts';
import { answersWithinMs, firstLookMs, longestLookMs, recordStop, type StopOfTask } from './stop-request.ts';

/** Stops what an ended task has left. Its shim does it, as long as it lives and answers; else this process does. */
export async function stopLeftovers(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  request: StopOfTask,
): Promise<void> {
  const { system } = context.store;
  const { facts, deathReason } = observed;
  if (deathReason !== null || facts.gone !== undefined || facts.isDone) return;
  if (observed.away !== null) {
    if (facts.outcome?.leftovers.length === 0) return;
    throw elsewhere(taskId, observed);
  }
  // Its shim has proven that nothing was left, and may need some milliseconds longer than its task to end.
  if (facts.spec?.seal !== undefined && facts.exit?.left === 0 && !facts.exit.pending) return;
  // One that cannot look at processes cannot stop what it does not know.
  const isBlind = facts.left?.processes === null;
  const isShims = facts.spec?.seal !== undefined && !isBlind && shimLives(context, facts);
  // The shim stays only for the leftovers; without it this process checks the processes.
  if (!isShims) {
    const members = await findMembers(treeOf(context, taskId, facts), system);
    const named = facts.stopped?.survivors ?? facts.outcome?.leftovers ?? [];
    // Where the record names some, it is to say that they are gone, however that came.
    if (named.length === 0 && members.length === 0) return;
  }
  const fact = recordStop(context, taskId, { ...request, cause: 'leftovers' });
  const survivors = isShims ? await shimEndsLeftovers(context, taskId, fact) : null;
  // What the shim may not signal (sudo) the asker may, if that is root.
  const mine = survivors?.filter(maySignal);
  if (mine?.length === 0) return;
  await endLeftovers(context, taskId, observed, fact.id, request.killSignal, request.graceMs, mine);
}

/** Waits until the shim has answered a stop of leftovers, and returns what it could not end. Null: it does not answer. */
async function shimEndsLeftovers(
  context: SessionContext,
  taskId: string,
  stop: StopFact,
): Promise<readonly Leftover[] | null> {
  const begun = monotonicMs();
  const release = holdProcess();
  let nudgeAt = begun;
  try {
    for (let pause = firstLookMs; ; pause = Math.min(pause * 2, longestLookMs)) {
      // First the shim, so that what one that is gone has written is there.
      const before = observe(context, taskId);
      const isGone = before !== null && !shimLives(context, before.facts);
      const observed = isGone ? observe(context, taskId) : before;
      if (observed === null) return [];
      const { openStop, stopped } = observed.facts;
      if (openStop?.id !== stop.id) return stopped?.id === stop.id ? stopped.survivors : [];
      if (isGone || monotonicMs() - begun >= (stop.graceMs ?? 0) + shimHasMs(observed.facts, stop))
        return null;
      if (monotonicMs() >= nudgeAt) {
        nudge(context, observed.facts);
        nudgeAt += answersWithinMs;
      }
      await sleep(pause);
    }
  } finally {
    release();
  }
}

import type { SessionContext } from '../engine/session/context.ts';
import { observe } from '../engine/session/observe.ts';
import { taskIds } from '../engine/store/listing.ts';
import { Changes } from '../engine/watches/output-watcher.ts';
import { noteWatches } from '../engine/watches/pattern-watches.ts';
import type { PendingMatch } from '../engine/watches/session-matches.ts';
import { checkMatchOptions, type MatchOptions, matchOptionNames } from '../engine/watches/watch-options.ts';
import { checkOptions } from '../errors/check-options.ts';
import { unhurried } from '../util/wait.ts';

/** A pending match, for a caller that reads and does not acknowledge. */
export type MatchToRead = Omit<PendingMatch, 'ack'>;

/**
 * Yields the pending matches of the durable watches of a session, and then those that come; with `wait: false` only those that
 * are there. The context is one to read with: nothing is acknowledged, and no watch is ended.
 */
export async function* pendingMatchesIn(
  context: SessionContext,
  options: MatchOptions,
): AsyncGenerator<MatchToRead, void, undefined> {
  const { wait, abortSignal } = checkMatchOptions(
    checkOptions('store.pendingMatches()', options, matchOptionNames),
  );
  await noteAll(context);
  if (!wait && context.watched.size === 0) return;
  // Most sessions watch for nothing, and need none of that code.
  const { sessionMatches } = await import('../engine/watches/session-matches.ts');
  const over = new AbortController();
  const ends = AbortSignal.any([over.signal, ...(abortSignal === undefined ? [] : [abortSignal])]);
  const noting = wait ? noteNew(context, ends) : Promise.resolve();
  try {
    for await (const { ack: _nobodys, ...match } of sessionMatches(context, {
      ...options,
      abortSignal: ends,
    }))
      yield match;
  } finally {
    over.abort();
    await noting;
  }
}

/** Watches that others open are told here by their logs. */
async function noteNew(context: SessionContext, abortSignal: AbortSignal): Promise<void> {
  const changes = new Changes([context.paths.tasks], { holds: false });
  try {
    while (!abortSignal.aborted) {
      changes.reset();
      await noteAll(context);
      await changes.next(abortSignal);
    }
  } finally {
    changes.close();
  }
}

async function noteAll(context: SessionContext): Promise<void> {
  for await (const taskId of unhurried(taskIds(context))) {
    const observed = observe(context, taskId);
    if (observed !== null) noteWatches(context, taskId, observed.facts);
  }
}

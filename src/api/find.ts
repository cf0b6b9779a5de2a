import type { SessionContext } from '../engine/context.ts';
import { taskIds } from '../engine/listing.ts';
import { takeSnapshot } from '../engine/observe.ts';
import { OutliveError } from '../errors/error.ts';
import { foldFacts } from '../model/fold.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { readLog } from '../tasklog/log.ts';
import { taskIdPattern, taskPaths } from '../tasklog/paths.ts';

/** What a shortened task id looks like. */
const idPrefix = /^bgb-[0-9a-f]{1,7}$/;

/**
 * The task that people mean: by its id, by a unique beginning of it, or by its name. Ids are looked for in the
 * whole store, the session's own first; names only in the session, where a name means the task that runs
 * with it, and else the newest.
 * @param contexts all sessions of the store.
 * @throws OutliveError `TASK_NOT_FOUND`, `TASK_AMBIGUOUS`.
 */
export function findTask(
  contexts: readonly SessionContext[],
  sessionId: string,
  reference: string,
): TaskSnapshot {
  const own = contexts.filter((context) => context.sessionId === sessionId);
  const found =
    byId(contexts, reference) ??
    byName(own, reference) ??
    byPrefix(own, reference) ??
    byPrefix(contexts, reference);
  if (found !== null) return found;
  throw new OutliveError(
    'TASK_NOT_FOUND',
    `expected the id of a task, the beginning of one, or the name of a task of session ${JSON.stringify(sessionId)}; found ${JSON.stringify(reference)}. Look at the list of tasks, or name another session.`,
  );
}

function byId(contexts: readonly SessionContext[], reference: string): TaskSnapshot | null {
  if (!taskIdPattern.test(reference)) return null;
  return first(contexts, (context) => takeSnapshot(context, reference));
}

function byPrefix(contexts: readonly SessionContext[], reference: string): TaskSnapshot | null {
  if (!idPrefix.test(reference)) return null;
  const ids = contexts.flatMap(taskIds).filter((id) => id.startsWith(reference));
  if (ids.length > 1) throw ambiguous(reference, ids);
  const [id] = ids;
  return id === undefined ? null : byId(contexts, id);
}

function byName(contexts: readonly SessionContext[], reference: string): TaskSnapshot | null {
  const named = contexts
    .flatMap((context) =>
      taskIds(context)
        .filter((id) => nameOf(context, id) === reference)
        .map((id) => takeSnapshot(context, id)),
    )
    .filter((snapshot) => snapshot !== null);
  const live = named.filter(({ status }) => !isEnded(status));
  if (live.length > 1)
    throw ambiguous(
      reference,
      live.map(({ taskId }) => taskId),
    );
  return live[0] ?? named.sort((a, b) => b.createdAt - a.createdAt)[0] ?? null;
}

function nameOf(context: SessionContext, taskId: string): string | null {
  const log = readLog(taskPaths(context.paths, taskId).log);
  return log === null ? null : (foldFacts(log.list).spec?.name ?? null);
}

function ambiguous(reference: string, ids: readonly string[]): OutliveError {
  return new OutliveError(
    'TASK_AMBIGUOUS',
    `expected one task that ${JSON.stringify(reference)} means; found ${ids.length}: ${ids.slice(0, 8).join(', ')}. Name the whole id.`,
    { details: { taskIds: ids } },
  );
}

function first<T, R>(items: readonly T[], look: (item: T) => R | null): R | null {
  for (const item of items) {
    const found = look(item);
    if (found !== null) return found;
  }
  return null;
}

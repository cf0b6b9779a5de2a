import { join } from 'node:path';
import type { SessionContext, StoreContext } from '../engine/session/context.ts';
import { takeSnapshot } from '../engine/session/observe.ts';
import { readRecord } from '../engine/session/read-record.ts';
import { allTasks, type ListedTask, taskIds } from '../engine/store/listing.ts';
import { contextWith, sessionContexts } from '../engine/store/store-sessions.ts';
import { OutliveError, shown } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import { idsIn } from '../tasklog/done.ts';
import { namesIn } from '../tasklog/files.ts';
import { sessionPathsIn, sessionsFolder, taskIdPattern } from '../tasklog/paths.ts';

/** What a shortened task id looks like. */
const idPrefix = /^bgb-[0-9a-f]{1,11}$/;

/**
 * The task that people mean: by its id, by a unique beginning of it, or by its name. It searches ids in all sessions,
 * its own first. A name means the task that runs under it in the session, else the newest that had it there; if the
 * session has no such task, the same in the other sessions.
 * @param store the store to search as well; null: only the session.
 * @throws OutliveError `TASK_NOT_FOUND`, `TASK_AMBIGUOUS`.
 */
export function findTask(
  store: StoreContext | null,
  session: SessionContext,
  reference: string,
): TaskSnapshot {
  const found =
    byId(session, reference) ??
    (store === null ? null : byIdIn(store, reference)) ??
    liveNamed(session, reference) ??
    byPrefix(session, reference) ??
    (store === null ? null : byPrefixIn(store, reference)) ??
    newestNamed(session, reference) ??
    (store === null ? null : namedElsewhere(store, session, reference));
  if (found !== null) return found;
  throw new OutliveError(
    'TASK_NOT_FOUND',
    `expected the id of a task, the beginning of one, or the name of a task${store === null ? ` of session ${JSON.stringify(session.sessionId)}` : ''}; found ${shown(reference)}. List all tasks to see which there are.`,
  );
}

function byId(session: SessionContext, reference: string): TaskSnapshot | null {
  return taskIdPattern.test(reference) ? takeSnapshot(session, reference) : null;
}

function byIdIn(store: StoreContext, reference: string): TaskSnapshot | null {
  const session = taskIdPattern.test(reference) ? contextWith(store, reference) : null;
  return session === null ? null : takeSnapshot(session, reference);
}

function byPrefix(session: SessionContext, reference: string): TaskSnapshot | null {
  const id = onlyOne(idPrefix.test(reference) ? idsIn(session.paths) : [], reference);
  return id === null ? null : takeSnapshot(session, id);
}

function byPrefixIn(store: StoreContext, reference: string): TaskSnapshot | null {
  const sessions = idPrefix.test(reference) ? namesIn(sessionsFolder(store.dir)) : [];
  const ids = sessions.flatMap((name) => [...idsIn(sessionPathsIn(join(sessionsFolder(store.dir), name)))]);
  const id = onlyOne(ids, reference);
  return id === null ? null : byIdIn(store, id);
}

function onlyOne(all: Iterable<string>, reference: string): string | null {
  const ids = [...new Set(all)].filter((id) => id.startsWith(reference));
  if (ids.length > 1) throw ambiguous(reference, ids, 'Name the whole id.');
  return ids[0] ?? null;
}

/**
 * The task that has the name and has not ended. Two tasks can have it only if somebody removed the claim of the first
 * one.
 */
function liveNamed(session: SessionContext, reference: string): TaskSnapshot | null {
  const ids = taskIds(session).filter((taskId) => nameOf(session, { taskId, day: null }) === reference);
  const named = ids.map((taskId) => takeSnapshot(session, taskId)).filter((task) => task !== null);
  return newest(named.filter(({ status }) => !isEnded(status)));
}

function newestNamed(session: SessionContext, reference: string): TaskSnapshot | null {
  const named = [...allTasks(session)].filter((listed) => nameOf(session, listed) === reference);
  return newest(named.map(({ taskId }) => takeSnapshot(session, taskId)).filter((task) => task !== null));
}

/** A name that the session has not: the task that runs under it in another one, else the newest. */
function namedElsewhere(
  store: StoreContext,
  session: SessionContext,
  reference: string,
): TaskSnapshot | null {
  const others = [...sessionContexts(store)].filter(({ sessionId }) => sessionId !== session.sessionId);
  const live = others.map((other) => liveNamed(other, reference)).filter((task) => task !== null);
  if (live.length > 1)
    throw ambiguous(
      reference,
      live.map(({ taskId }) => taskId),
      'Each runs in a session of its own: name the whole id, or the session too.',
    );
  if (live[0] !== undefined) return live[0];
  return newest(others.map((other) => newestNamed(other, reference)).filter((task) => task !== null));
}

function newest(tasks: readonly TaskSnapshot[]): TaskSnapshot | null {
  return tasks.reduce<TaskSnapshot | null>(
    (best, task) => (task.createdAt >= (best?.createdAt ?? 0) ? task : best),
    null,
  );
}

function nameOf(session: SessionContext, { taskId, day }: ListedTask): string | null {
  return readRecord(session, taskId, day)?.facts.spec?.name ?? null;
}

function ambiguous(reference: string, ids: readonly string[], advice: string): OutliveError {
  return new OutliveError(
    'TASK_AMBIGUOUS',
    `expected one task that ${JSON.stringify(reference)} means; found ${ids.length}: ${ids.slice(0, 8).join(', ')}. ${advice}`,
    { details: { taskIds: ids } },
  );
}

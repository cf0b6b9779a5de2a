import { sayEndedLately } from '../text/say-ends.ts';
import type { Connection, Request } from './connection.ts';

/** How far back the list goes. */
const latelyMs = 3_600_000;

/**
 * The tasks that ended lately in the sessions of a client, or were started in its folder, also when another client was
 * told. To be in this list does not count as told.
 * @param where.cwd the client's folder; null if it is not known: then only the client's sessions count.
 * @returns a line for each, the newest first.
 */
export async function endedLately(
  connection: Connection,
  request: Request,
  { cwd, most }: { readonly cwd: string | null; readonly most: number },
): Promise<string[]> {
  const { clientSession } = request;
  const own = new Set([clientSession, ...connection.clientSessions].map(({ session }) => session.id));
  const nowMs = Date.now();
  const found = await clientSession.deliveries.endedSince(
    nowMs - latelyMs,
    (sessionId, spec) =>
      own.has(sessionId) || (cwd !== null && (spec?.starter?.cwd === cwd || spec?.cwd === cwd)),
  );
  return found.slice(0, most).map(({ snapshot, spec }) => {
    const isOwn = spec === undefined || connection.isStartedBy(request, spec);
    return sayEndedLately(snapshot, { nowMs, isOwn });
  });
}

import { watchIdOf } from '../../engine/watches/watch-id.ts';
import { crypto } from '../../util/crypto.ts';
import type { Asker } from './hearers.ts';

/** The part of a watched line that decides who is told of it. */
export interface Found {
  readonly taskId: string;
  readonly watchId: string;
}

/** The id of a watch that a client opened on the task of another client. */
const idOfOther = /^re-[0-9a-f]{16}-of-([0-9a-f]{16})$/;

/**
 * The ids of the watches for a pattern that a caller may end; a new watch gets the first one. All hearers of the end of
 * the task share one watch. A client that works beside them has its own watch, whose id names it, so that lines that
 * one has read are not acknowledged for the other.
 * @param isHearer whether the caller is a hearer of the end.
 */
export function watchIdsOf(pattern: string, asker: Asker, isHearer: boolean): readonly [string, ...string[]] {
  const shared = watchIdOf(pattern);
  const own = `${shared}-of-${nameOf(asker)}`;
  return isHearer ? [shared, own] : [own];
}

/** Whether a watch is the one that the hearers of the task's end share, and not another client's own. */
export function isOfHearers({ watchId }: Found): boolean {
  return !idOfOther.test(watchId);
}

/** Whether the caller must hear of a line. @param mayHear whether it would be told of the end of a task. */
export function mayHearLine(
  { taskId, watchId }: Found,
  asker: Asker,
  mayHear: (taskId: string) => boolean,
): boolean {
  const owner = idOfOther.exec(watchId)?.[1];
  return owner === undefined ? mayHear(taskId) : owner === nameOf(asker);
}

/** A hash of the conversation, or else of the client program. It is the same after a restart of the server. */
function nameOf({ party, client }: Asker): string {
  const { pid, start, boot, pidNamespace } = client;
  const name = JSON.stringify(party ?? [pid, start, boot, pidNamespace]);
  return crypto().createHash('sha256').update(name).digest('hex').slice(0, 16);
}

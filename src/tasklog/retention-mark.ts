/** Where in a session a round has stopped: after that task, in one of the session's folders. */
export interface SessionPlace {
  /** `tasks`, `output`, or the name of a folder in `done`. */
  readonly folder: string;
  readonly taskId: string;
}

/** Where in a store a round has stopped. */
export interface Place {
  /** The name of a session's folder. */
  readonly session: string;
  /** `null`: after the whole session. */
  readonly within: SessionPlace | null;
}

/**
 * How far a store has been gone through for what is old. It is the name of an empty file: of several processes that give
 * it another name at once, one succeeds.
 */
export interface RetentionMark {
  /** When the next piece of work is due, in epoch milliseconds. */
  readonly dueAt: number;
  /** The lowest bound of those who take part in the round; `null`: none has one. */
  readonly maxBytes: number | null;
  /** The bytes of the files that were seen in this round. */
  readonly bytes: number;
  /** Where the round goes on; `null`: all was gone through. */
  readonly place: Place | null;
}

const form =
  /^retained-(\d{1,15})-(\d{1,16}|any)-(\d{1,16})(?:-([a-z0-9-]{1,32}-[0-9a-f]{16})(?:,(tasks|output|never|\d{4}-\d\d-\d\d),(bgb-[0-9a-f]{12}))?)?$/;

/** The name of the file that says so. */
export function markName({ dueAt, maxBytes, bytes, place }: RetentionMark): string {
  const within = place?.within ? `,${place.within.folder},${place.within.taskId}` : '';
  // A program may have put another clock in the place of Date.now(), and a machine may not know the year.
  const due = Math.max(0, Math.round(dueAt));
  return `retained-${due}-${maxBytes ?? 'any'}-${bytes}${place === null ? '' : `-${place.session}${within}`}`;
}

/** What such a name says; null for another file. */
export function parseMark(fileName: string): RetentionMark | null {
  const [found, dueAt, maxBytes, bytes, session, folder, taskId] = form.exec(fileName) ?? [];
  if (found === undefined) return null;
  const within = folder === undefined || taskId === undefined ? null : { folder, taskId };
  return {
    dueAt: Number(dueAt),
    maxBytes: maxBytes === 'any' ? null : Number(maxBytes),
    bytes: Number(bytes),
    place: session === undefined ? null : { session, within },
  };
}

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/error.ts';
import { tolerate } from '../../errors/expected.ts';
import { namesIn, removeEntry, renameWhole } from '../../tasklog/files.ts';
import { isSessionFolder, sessionsFolder } from '../../tasklog/paths.ts';
import { markName, type Place, parseMark, type RetentionMark } from '../../tasklog/retention-mark.ts';
import { passing } from '../session/background.ts';

/** The pause between the end of a round through a store and the next one, in milliseconds. */
export const retainEveryMs = 600_000;

/** The pause between two pieces of a round. */
export const pieceEveryMs = 1_000;

/** A process that has not finished a piece by then is dead or was stopped: others continue. */
export const pieceTakesMs = 60_000;

/** A piece of a round that this process does. */
export interface Piece {
  /** The name of the file. */
  readonly name: string;
  /** What the mark says meanwhile. A process that takes this one for dead gives the file another name. */
  readonly mark: RetentionMark;
  /** Where it begins: after that; `null`: with the first session. */
  readonly after: Place | null;
  /** The names of the folders of the sessions that are left, in the order of the round. */
  readonly sessions: readonly string[];
}

/** What there is to do now. */
export interface Due {
  readonly piece: Piece | null;
  /** When to ask again if there is none, in milliseconds from now. */
  readonly waitMs: number;
}

/**
 * Takes the next piece of a round through a store, if it is due. Of several processes that ask at once, one gets it; in the
 * first round of a store's life two may, which costs time and nothing else. The mark says beforehand that the session is over with which the piece begins: so a process that dies in the middle of it
 * leaves at most that session to the next round, and a session that every process dies of keeps no other one waiting.
 * @param maxBytes the bound of this process; `null`: none.
 */
export function takePiece(dir: string, maxBytes: number | null): Due {
  const idle = { piece: null, waitMs: retainEveryMs };
  try {
    const found = marksIn(dir);
    const marks = found.length > 0 ? found : firstMarks(dir);
    const last = latest(marks);
    // Somebody gives it another name just now.
    if (last === null) return { piece: null, waitMs: pieceEveryMs };
    const { name, mark } = last;
    const waitMs = waitOf(mark, maxBytes);
    if (waitMs > 0) return { piece: null, waitMs };
    const sessions = sessionsAfter(dir, mark.place);
    const [first] = sessions;
    const isNothing = first === undefined && mark.place === null;
    const taken: RetentionMark = {
      dueAt: Date.now() + (isNothing ? retainEveryMs : pieceTakesMs),
      maxBytes: mark.place === null ? maxBytes : lowest(mark.maxBytes, maxBytes),
      bytes: mark.place === null ? 0 : mark.bytes,
      place: first === undefined ? mark.place : { session: first, within: null },
    };
    renameWhole(join(dir, name), join(dir, markName(taken)));
    // No process uses them: two processes have both made a first one.
    for (const other of marks) if (other.name !== name) removeEntry(join(dir, other.name));
    if (isNothing) return { piece: null, waitMs: retainEveryMs };
    return { piece: { name: markName(taken), mark: taken, after: mark.place, sessions }, waitMs: 0 };
  } catch (error) {
    // Somebody was faster, or nothing can be removed or shortened there: the store is read-only, or full.
    tolerate(error, passing, 'recording that the removal of old tasks began');
    return systemCode(error) === 'ENOENT' ? { piece: null, waitMs: pieceEveryMs } : idle;
  }
}

/**
 * Notes how far a piece has come; `place`: null, to the end of the round.
 * @returns after how many milliseconds to ask for the next piece.
 */
export function endPiece(
  dir: string,
  { name, mark }: Piece,
  { place, bytes }: Pick<RetentionMark, 'place' | 'bytes'>,
): number {
  const waitMs = place === null ? retainEveryMs : pieceEveryMs;
  const next: RetentionMark = { ...mark, dueAt: Date.now() + waitMs, bytes, place };
  try {
    renameWhole(join(dir, name), join(dir, markName(next)));
  } catch (error) {
    // It took so long that another process has continued.
    tolerate(error, passing, 'recording how far the removal of old tasks got');
  }
  return waitMs;
}

/** A mark as it was found: numbers may be written in several ways. */
interface NamedMark {
  readonly name: string;
  readonly mark: RetentionMark;
}

function marksIn(dir: string): NamedMark[] {
  return namesIn(dir).flatMap((name) => {
    const mark = parseMark(name);
    return mark === null ? [] : [{ name, mark }];
  });
}

/** That of the process that went on last, by the clock. */
function latest(marks: readonly NamedMark[]): NamedMark | null {
  const [first, ...others] = marks;
  if (first === undefined) return null;
  return others.reduce((last, one) => (one.mark.dueAt > last.mark.dueAt ? one : last), first);
}

/**
 * Makes the mark of a store that nobody has gone through, under the same name as all who do so at once. One of them may have
 * taken a piece meanwhile, and that counts: so this looks again. One that comes late makes that name anew after the first
 * has taken it; then a third, which saw the name before, takes it as well.
 */
function firstMarks(dir: string): NamedMark[] {
  const name = markName({ dueAt: 0, maxBytes: null, bytes: 0, place: null });
  try {
    closeSync(openSync(join(dir, name), 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return marksIn(dir);
}

/** A time that is too far in the future is from before the clock was set back. */
function waitOf({ dueAt, maxBytes: applied, place }: RetentionMark, maxBytes: number | null): number {
  const waitMs = dueAt - Date.now();
  // A bound that is lower than those before is applied at once.
  const isLower = place === null && lowest(applied, maxBytes) !== applied;
  return isLower || waitMs > retainEveryMs ? 0 : Math.max(0, waitMs);
}

function lowest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function sessionsAfter(dir: string, place: Place | null): string[] {
  const names = namesIn(sessionsFolder(dir)).filter(isSessionFolder).sort();
  if (place === null) return names;
  // A session that a piece has stopped in is gone on with.
  return names.filter((name) => name > place.session || (name === place.session && place.within !== null));
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dayOf, doneDays } from '../../tasklog/done.ts';
import { namesIn } from '../../tasklog/files.ts';
import {
  type SessionPaths,
  sessionPathsIn,
  sessionsFolder,
  taskIdOfFile,
  taskIdOfRemoved,
  taskIdPattern,
} from '../../tasklog/paths.ts';
import type { Place, SessionPlace } from '../../tasklog/retention-mark.ts';
import { monotonicMs, yieldToOthers } from '../../util/wait.ts';
import { report } from '../session/background.ts';
import { SessionContext, type StoreContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { putAwaySoon } from '../session/put-away.ts';
import { cutOutput, exceedsKeep } from './cut-output.ts';
import { removeIfEmpty } from './empty-session.ts';
import { retain, size } from './retain.ts';
import { endPiece, type Piece } from './retention-due.ts';
import { makeSessionFolders } from './session-folder.ts';
import { defaultLimits, sessionContexts, sessionIdIn } from './store-sessions.ts';
import { finishRemovals, removable, removeTask } from './sweep.ts';
import { sweepCut } from './sweep-cuts.ts';
import { sweepOrphan } from './sweep-orphans.ts';

/** A piece of a round takes this long, in milliseconds: a program that opens a session for a moment waits for it. */
const pieceMs = 15;

/** How many files and sessions it checks in each piece, however slow the machine is. */
const leastLooks = 64;

/** To read the names of a folder that is not large does not take this long, in milliseconds. */
const longMs = 2;

/** How many milliseconds at most it blocks the event loop at a stretch. */
const stretchMs = 5;

/**
 * Does a piece of a round through a store, including sessions that nobody opens: it shortens outputs, and removes old
 * tasks (each by its own record), files without a task, and sessions without tasks. At the end of the round it removes
 * tasks until the store is within its limit.
 * @returns after how many milliseconds to ask for the next piece.
 */
export async function goOn(store: StoreContext, piece: Piece): Promise<number> {
  const walk = new Walk(store, piece);
  const place = await walk.go();
  const { bytes } = walk;
  const waitMs = endPiece(store.dir, piece, { place, bytes });
  const { maxBytes } = piece.mark;
  if (place === null && maxBytes !== null && bytes > maxBytes)
    await retain(sessionContexts(store), { olderThanMs: null, maxBytes, dryRun: false });
  return waitMs;
}

/** A file of a session. */
interface SessionFile {
  /** As in {@link SessionPlace}. */
  readonly folder: string;
  readonly path: string;
  readonly name: string;
  /** The task that it belongs to, by its name; null if that is not known. */
  readonly taskId: string | null;
}

/** A walk through the files of sessions, until its time is up. */
class Walk {
  readonly #store: StoreContext;
  readonly #piece: Piece;
  readonly #today = dayOf(Date.now());
  /** The bytes of all files that were seen in this round. */
  bytes: number;
  #until = monotonicMs() + pieceMs;
  #looks = 0;
  #stretch = monotonicMs();

  constructor(store: StoreContext, piece: Piece) {
    this.#store = store;
    this.#piece = piece;
    this.bytes = piece.mark.bytes;
  }

  /** Where it has stopped; null: at the end. */
  async go(): Promise<Place | null> {
    const { after, sessions } = this.#piece;
    for (const [at, session] of sessions.entries()) {
      const within = await this.#session(session, after?.session === session ? after.within : null);
      if (within !== null) return { session, within };
      this.#looks += 1;
      if (this.#isOver() && at + 1 < sessions.length) return { session, within: null };
    }
    return null;
  }

  /** A session that cannot be read, or in which nothing can be removed, does not block the others. */
  async #session(name: string, begin: SessionPlace | null): Promise<SessionPlace | null> {
    const paths = sessionPathsIn(join(sessionsFolder(this.#store.dir), name));
    try {
      const within = await this.#files(paths, begin);
      if (within === null) removeIfEmpty(paths);
      return within;
    } catch (error) {
      report({ store: this.#store }, 'removing old tasks of a session', error);
      return null;
    }
  }

  async #files(paths: SessionPaths, begin: SessionPlace | null): Promise<SessionPlace | null> {
    const sessionId = sessionIdIn(this.#store.dir, paths.dir);
    if (sessionId === null) return null;
    const context = new SessionContext(this.#store, sessionId, paths, defaultLimits);
    // One that was removed while its first task was made: see empty-session.ts.
    if (!existsSync(paths.record)) makeSessionFolders(paths, sessionId);
    let isKnown: ((taskId: string) => boolean) | null = null;
    let last: SessionPlace | null = null;
    for (const file of this.#filesFrom(paths, begin)) {
      const { folder, name, path, taskId } = file;
      if (last !== null && (folder !== last.folder || taskId !== last.taskId)) {
        if (this.#isOver()) return last;
        await this.#breathe();
      }
      if (folder === 'tasks') await this.#visitTask(context, name);
      else if (folder !== 'output') this.#removeIfOld(context, name, folder);
      else {
        isKnown ??= this.#timed(() => knownIn(paths));
        sweepCut(context, name);
        sweepOrphan(context, name, isKnown);
      }
      this.bytes += size(path);
      this.#looks += 1;
      if (taskId !== null) last = { folder, taskId };
    }
    return null;
  }

  /** Logs first, so that what is removed is not counted. */
  *#filesFrom(paths: SessionPaths, begin: SessionPlace | null): Generator<SessionFile, void, undefined> {
    const days = doneDays(paths).map((day) => [day, join(paths.done, day)] as const);
    for (const [folder, dir] of [['tasks', paths.tasks], ...days, ['output', paths.output]] as const) {
      if (begin !== null && rankOf(folder) < rankOf(begin.folder)) continue;
      for (const name of this.#timed(() => namesIn(dir).sort())) {
        const id = name.slice(0, idLength);
        const taskId = taskIdPattern.test(id) ? id : null;
        if (begin?.folder === folder && (taskId ?? name) <= begin.taskId) continue;
        yield { folder, name, path: join(dir, name), taskId };
      }
    }
  }

  async #visitTask(context: SessionContext, name: string): Promise<void> {
    if (taskIdOfRemoved(name) !== null) finishRemovals(context);
    const taskId = taskIdOfFile(name);
    const observed = taskId === null ? null : observe(context, taskId);
    if (taskId === null || observed === null) return;
    if (exceedsKeep(observed.facts)) await cutOrReport(context, taskId);
    // The process that acknowledged it may have died before it did so.
    if (observed.facts.isDone) putAwaySoon(context, taskId);
    this.#removeIfOld(context, name, null);
  }

  /** What is done lies in the folder of the day on which it is to go. */
  #removeIfOld(context: SessionContext, name: string, day: string | null): void {
    const taskId = taskIdOfFile(name);
    if (taskId === null || (day !== null && day > this.#today)) return;
    const task = removable(context, { taskId, day });
    const retentionMs = task?.spec?.retentionMs ?? null;
    if (task !== null && retentionMs !== null && Date.now() - task.overAt >= retentionMs)
      removeTask(context, taskId);
  }

  #isOver(): boolean {
    return this.#looks >= leastLooks && monotonicMs() >= this.#until;
  }

  /** All names are read each time that a large folder is gone on with: then as much time as that took is for its files. */
  #timed<T>(read: () => T): T {
    const begin = monotonicMs();
    const found = read();
    const tookMs = monotonicMs() - begin;
    if (tookMs > longMs) this.#until += 2 * tookMs;
    return found;
  }

  async #breathe(): Promise<void> {
    if (monotonicMs() - this.#stretch < stretchMs) return;
    await yieldToOthers();
    this.#stretch = monotonicMs();
  }
}

const idLength = 'bgb-123456781234'.length;

/** Folders in their order: "never" comes after all days. */
function rankOf(folder: string): string {
  if (folder === 'tasks') return '0';
  return folder === 'output' ? '2' : `1${folder}`;
}

/** Whether there is a log of a task, as the folders are now. To look for a few names in many is faster than to make a set. */
function knownIn(paths: SessionPaths): (taskId: string) => boolean {
  const folders = [paths.tasks, ...doneDays(paths).map((day) => join(paths.done, day))];
  const names = folders.map((folder) => namesIn(folder).sort());
  return (taskId) => names.some((sorted) => isAmong(sorted, `${taskId}.jsonl`));
}

function isAmong(sorted: readonly string[], name: string): boolean {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? '') < name) from = middle + 1;
    else to = middle;
  }
  return sorted[from] === name;
}

/** An output that cannot be shortened does not block the others: another process may be shortening it. */
async function cutOrReport(context: SessionContext, taskId: string): Promise<void> {
  try {
    await cutOutput(context, taskId);
  } catch (error) {
    report(context, 'shortening output', error, { taskId });
  }
}

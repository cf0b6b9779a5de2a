import { existsSync } from 'node:fs';
import { sessionPathsIn } from '../../tasklog/paths.ts';
import { holdProcess, monotonicMs } from '../../util/wait.ts';
import { report } from '../session/background.ts';
import { SessionContext, type StoreContext } from '../session/context.ts';
import {
  leaveMark,
  type MarkedProcess,
  markPrefix,
  removeMark,
  touchEveryMs,
} from '../session/process-marks.ts';
import { pieceTakesMs, takePiece } from '../store/retention-due.ts';
import { goOn } from '../store/round.ts';
import { defaultLimits, sessionFolders } from '../store/store-sessions.ts';
import { KeptSession } from './kept-session.ts';
import { livingKeepers } from './living-keepers.ts';

/** The pause between two rounds: short for a few tasks, at most 2 s. */
const shortestPauseMs = 250;
const longestPauseMs = 2_000;
const pauseMsATask = 4;

/**
 * Keeps a store while no process watches it: it supervises every live task of this machine, and returns when none is
 * left, or when an older keeper is there. Holds nothing that a SIGKILL could lose.
 * @param mark the mark that the sentinel, our parent, has left.
 */
export class StoreKeeper {
  readonly #store: StoreContext;
  readonly #sentinel: MarkedProcess;
  readonly #sessions = new Map<string, KeptSession>();
  #mark: string;
  #keeper: MarkedProcess;
  #touchedAt = monotonicMs();
  #retainAt = 0;

  constructor(store: StoreContext, mark: string) {
    this.#store = store;
    this.#mark = mark;
    const [start = '', pid = ''] = mark.split('-').slice(-2);
    this.#sentinel = { start: Number(start), pid: Number(pid) };
    this.#keeper = this.#sentinel;
  }

  /** Resolves when the store no longer needs a keeper. Then the mark is gone. */
  async run(): Promise<void> {
    const release = holdProcess();
    try {
      while (await this.#isNeeded()) {
        await new Promise((resolve) => setTimeout(resolve, this.#pause()));
      }
    } finally {
      this.release();
      for (const session of this.#sessions.values()) session.close();
      release();
    }
  }

  /** Takes the mark away; for the end of the process. */
  release(): void {
    removeMark(this.#mark);
  }

  /**
   * A spawner that finds our mark starts no keeper. So this process removes the mark before its last check: the spawner
   * of a task that comes after that check finds no mark.
   */
  async #isNeeded(): Promise<boolean> {
    this.#showMark();
    const { dir, system } = this.#store;
    if (livingKeepers(dir, system).some((other) => isOlder(other, this.#keeper))) return false;
    if ((await this.#round()) > 0) {
      await this.#retain();
      return true;
    }
    this.release();
    if ((await this.#round()) === 0) return false;
    leaveMark(this.#mark);
    return true;
  }

  /** A sentinel that was killed no longer keeps the mark: then the mark must be our own. */
  #showMark(): void {
    if (this.#keeper === this.#sentinel && process.ppid !== this.#sentinel.pid) {
      const { system, dir } = this.#store;
      const { pid, start } = system.self();
      const before = this.#mark;
      this.#keeper = { pid, start: start ?? 0 };
      this.#mark = `${markPrefix(dir, 'keeper', system.self())}${this.#keeper.start}-${pid}`;
      leaveMark(this.#mark);
      removeMark(before);
    } else if (monotonicMs() - this.#touchedAt > touchEveryMs) {
      this.#touchedAt = monotonicMs();
      leaveMark(this.#mark);
    }
  }

  /** Tasks that ended while no process watched fill the store as well. */
  async #retain(): Promise<void> {
    if (monotonicMs() < this.#retainAt) return;
    const { dir, maxStoreBytes } = this.#store;
    const { piece, waitMs } = takePiece(dir, maxStoreBytes);
    this.#retainAt = monotonicMs() + (piece === null ? waitMs : pieceTakesMs);
    if (piece === null) return;
    try {
      this.#retainAt = monotonicMs() + (await goOn(this.#store, piece));
    } catch (error) {
      report({ store: this.#store }, 'removing old tasks of the store', error);
    }
  }

  /** Checks all sessions; returns how many live tasks there are. */
  async #round(): Promise<number> {
    const folders = this.#folders();
    // What cannot be read just now may have tasks.
    let cares = folders === null ? 1 : 0;
    for (const [dir, id] of folders ?? []) {
      const session = this.#sessions.get(dir) ?? this.#open(dir, id);
      try {
        await session.round();
      } catch (error) {
        // A disk error, no descriptors, no memory: the next round looks again.
        report({ store: this.#store, sessionId: id }, 'checking a session', error);
      }
      cares += session.cares;
    }
    if (folders !== null) await this.#abandonRemoved(new Set(folders.map(([dir]) => dir)));
    return cares;
  }

  async #abandonRemoved(there: ReadonlySet<string>): Promise<void> {
    for (const [dir, session] of this.#sessions) {
      if (there.has(dir) || existsSync(dir)) continue;
      this.#sessions.delete(dir);
      await session
        .abandon()
        .catch((error: unknown) => report({ store: this.#store }, 'ending the tasks of a session', error));
    }
  }

  #folders(): [dir: string, id: string][] | null {
    try {
      return sessionFolders(this.#store.dir);
    } catch (error) {
      report({ store: this.#store }, 'finding sessions', error);
      return null;
    }
  }

  #open(dir: string, id: string): KeptSession {
    const context = new SessionContext(this.#store, id, sessionPathsIn(dir), defaultLimits);
    const session = new KeptSession(context);
    this.#sessions.set(dir, session);
    return session;
  }

  #pause(): number {
    let cares = 0;
    for (const session of this.#sessions.values()) cares += session.cares;
    return Math.min(longestPauseMs, Math.max(shortestPauseMs, cares * pauseMsATask));
  }
}

/** The older of two keepers keeps the store. */
function isOlder(one: MarkedProcess, other: MarkedProcess): boolean {
  return one.start < other.start || (one.start === other.start && one.pid < other.pid);
}

import { Deliveries } from '../../api/deliveries.ts';
import { leftRunning, leftSession } from '../../api/left-running.ts';
import type { Session } from '../../api/session.ts';
import type { Store } from '../../api/store.ts';
import { OutliveError } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { randomHex } from '../../util/crypto.ts';
import { after, yieldToOthers } from '../../util/wait.ts';
import type { Start } from './hearers.ts';
import { goOn, report } from './report.ts';
import { type LineClaims, WatchedLines } from './watched-lines.ts';

/** How many completions it takes at once; there may be thousands when a session is opened. */
const goSize = 50;

/** After a failure the completions are asked for again so much later. */
const againMs = 1_000;

/**
 * One open session, as its clients see it. Holds the ids of the pending ones, and nothing else of a task that has
 * ended.
 */
export class ClientSession {
  readonly session: Session;
  readonly watchedLines: WatchedLines;
  readonly deliveries: Deliveries;
  /** Resolves when the earlier pending completions are known: the first answer to a client must tell of them. */
  readonly ready: Promise<void>;
  readonly #store: Store;
  /** With who started them, once somebody has asked. */
  readonly #pending = new Map<string, Start | null>();
  readonly #listeners = new Set<(completion: TaskSnapshot) => void>();

  constructor(session: Session, store: Store) {
    this.session = session;
    this.deliveries = new Deliveries(session);
    this.watchedLines = new WatchedLines(
      session,
      (match) => this.deliveries.isMatchPending(match),
      lineClaims(this.deliveries, session.id),
    );
    this.#store = store;
    this.ready = this.#findPending();
    goOn(
      'taking completions',
      this.ready.then(() => this.#collectForGood()),
    );
  }

  /** Calls back with each completion that becomes pending, until the returned function is called. */
  onCompletion(listener: (completion: TaskSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The ids of the tasks that there are, and then of each one that has changed, or has written more. */
  async *changes(abortSignal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const watched = { sessionId: this.session.id, abortSignal };
    // With a byte of output in the snapshots, output that grows is told.
    for await (const event of this.#store.watch({ ...watched, previewBytes: 1 })) {
      if (event.type === 'snapshot') for (const { taskId } of event.tasks) yield taskId;
      else if (event.type === 'changed') yield event.task.taskId;
      else if (event.type === 'gone') yield event.taskId;
    }
  }

  /** The tasks that run in a folder, or below it, in sessions that nobody has open. */
  async leftRunning(folder: string): Promise<TaskSnapshot[]> {
    return await leftRunning(this.#store, folder, this.session.id);
  }

  /** The session of a task of somebody else, named by its whole id, if nobody has that session open; else null. */
  async leftSession(taskId: string): Promise<string | null> {
    return await leftSession(this.#store, taskId, this.session.id);
  }

  /** A task by its id; null when this session has none of it. */
  snapshot(taskId: string): TaskSnapshot | null {
    try {
      return this.session.task(taskId).snapshot();
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      return null;
    }
  }

  /**
   * The pending completions, in the order of the ends, without unwanted ones.
   * @param most how many at most; `left` says how many more there are.
   */
  pending(wanted: (taskId: string) => boolean, most: number): { found: TaskSnapshot[]; left: number } {
    const found: TaskSnapshot[] = [];
    let left = 0;
    for (const taskId of [...this.#pending.keys()]) {
      if (!wanted(taskId)) continue;
      if (found.length >= most) {
        left += 1;
        continue;
      }
      const snapshot = this.snapshot(taskId);
      if (snapshot === null || snapshot.delivered) this.#pending.delete(taskId);
      // One is told of an end before it is on disk; a moment later it is.
      else if (isEnded(snapshot.status)) found.push(snapshot);
    }
    return { found, left };
  }

  /** The client that started a task, and when; null if no record of it can be read. */
  startOf(taskId: string): Start | null {
    const known = this.#pending.get(taskId);
    if (known != null) return known;
    const spec = this.deliveries.specOf(taskId);
    if (spec === null) return null;
    const { starter, by, monoMs } = spec;
    const start = { starter, by, monoMs };
    if (known === null) this.#pending.set(taskId, start);
    return start;
  }

  /** The starts of tasks that may have news: those that run, and those with a pending end. */
  *starts(): Generator<Start, void, undefined> {
    for (const taskId of new Set([...this.deliveries.live, ...this.#pending.keys()])) {
      const start = this.startOf(taskId);
      if (start !== null) yield start;
    }
  }

  /**
   * Acknowledges a completion: its receipt was shown.
   * @returns whether that is on record. What goes wrong is reported.
   */
  async acknowledge(taskId: string): Promise<boolean> {
    this.#pending.delete(taskId);
    try {
      await this.session.task(taskId).ack();
      return true;
    } catch (error) {
      report('acknowledging a completion', error, this.session.id);
      return false;
    }
  }

  async #findPending(): Promise<void> {
    try {
      for (const { taskId } of await this.session.pending()) this.#pending.set(taskId, null);
    } catch (error) {
      // They are asked for again and again: see below.
      report('taking completions', error, this.session.id);
    }
  }

  /** Whatever a disk does (no descriptor left, an error of the device), the next second it may not. */
  async #collectForGood(): Promise<void> {
    for (;;) {
      try {
        return await this.#collect();
      } catch (error) {
        if (error instanceof OutliveError && error.code === 'CLOSED') return;
        report('taking completions', error, this.session.id);
        await new Promise<void>((resolve) => after(againMs, resolve));
      }
    }
  }

  async #collect(): Promise<void> {
    let taken = 0;
    for await (const completion of this.session.completions()) {
      this.#pending.set(completion.taskId, null);
      for (const listener of [...this.#listeners]) listener(completion);
      taken += 1;
      if (taken % goSize === 0) await yieldToOthers();
    }
  }
}

/** What a disk does not take is reported, and then a line is perhaps told twice. */
function lineClaims(deliveries: Deliveries, sessionId: string): LineClaims {
  return {
    isFree: (match) => deliveries.standingOf(match, { id: '', party: null }) !== 'held',
    claim: (matches) => {
      const teller = { id: randomHex(6), party: null };
      const ours = matches.length === 0 ? [] : deliveries.tellMatches(matches, teller);
      const giveBack = (): void => {
        try {
          deliveries.untellMatches(ours, teller.id);
        } catch (error) {
          report('returning lines', error, sessionId);
        }
      };
      return { ours, giveBack };
    },
  };
}

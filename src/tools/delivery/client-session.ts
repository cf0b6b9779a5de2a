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

/** How many completions it takes before it lets other work run. There may be thousands when a session is opened. */
const goSize = 50;

/** How long it waits after a failure before it asks for the completions again, in milliseconds. */
const againMs = 1_000;

/**
 * One open session, as its clients see it. Of an ended task it keeps only who started it, and only while its completion
 * is pending.
 */
export class ClientSession {
  readonly session: Session;
  readonly watchedLines: WatchedLines;
  readonly deliveries: Deliveries;
  /** Resolves when the earlier pending completions are known: the first answer to a client must tell of them. */
  readonly ready: Promise<void>;
  readonly #store: Store;
  /** The tasks with a pending completion, and who started each: null until somebody asks. */
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

  /** The ids of all tasks, and then the id of each task that changes or writes more output. */
  async *changes(abortSignal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const watched = { sessionId: this.session.id, abortSignal };
    // The watch reports growing output only if the snapshots contain some output: one byte is enough.
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

  /** The session of another client's task, named by its full id. Null if somebody has that session open. */
  async leftSession(taskId: string): Promise<string | null> {
    return await leftSession(this.#store, taskId, this.session.id);
  }

  /** A task by its id; null if this session has no such task. */
  snapshot(taskId: string): TaskSnapshot | null {
    try {
      return this.session.task(taskId).snapshot();
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      return null;
    }
  }

  /**
   * The pending completions that are wanted, in the order in which the tasks ended.
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
      // An end is reported a moment before it is on disk. Until then the snapshot says that the task still runs.
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
   * Acknowledges a completion that the client has demonstrably read.
   * @returns whether the acknowledgement is on disk. A failure is reported, not thrown.
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
      // `#collectForGood` asks for them again until it gets them.
      report('taking completions', error, this.session.id);
    }
  }

  /** A failure of the disk (no descriptor left, a device error) may pass, so it tries again a second later. */
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

/** If the disk refuses a write, that is reported, and a line may be told twice. */
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

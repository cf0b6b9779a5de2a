import type { Session } from '../../api/session.ts';
import type { PendingMatch } from '../../engine/watches/session-matches.ts';
import { OutliveError } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { after } from '../../util/wait.ts';
import type { Found } from './line-hearers.ts';
import type { Outcome } from './receipts.ts';
import { goOn, report } from './report.ts';

/** How many lines it holds in memory. More stay on disk until some of these are acknowledged. */
const mostHeld = 50;

/** How many lines one answer carries. */
const mostRiders = 10;

/** How long it waits after a failure before it asks for the lines again, in milliseconds. */
const againMs = 1_000;

/** A line that a watch of a session has found. */
export interface WatchedLine {
  readonly match: PendingMatch;
  readonly task: TaskSnapshot;
  /** What the watch looks for. */
  readonly pattern: string;
}

/** The lines that ride on an answer. */
export interface RidingLines {
  readonly found: readonly WatchedLine[];
  /** More are there: the next answers tell of them. */
  readonly more: boolean;
  /** What becomes of the answer; null where there are none. */
  readonly outcome: Outcome | null;
}

/** Claims of lines. Hooks and other servers of the conversation may be telling lines of the same watches just now. */
export interface LineClaims {
  /** Whether nobody else is telling a line. */
  isFree(match: PendingMatch): boolean;
  /** Claims lines. Returns the lines that it got, and a function that gives them back. */
  claim(matches: readonly PendingMatch[]): { readonly ours: readonly PendingMatch[]; giveBack(): void };
}

/** Whether the caller must hear of a line. */
type IsOurs = (line: Found) => boolean;

const isAnybodys: IsOurs = () => true;

/** The lines that the watches of a session have found. Each is kept until a client has received it. */
export class WatchedLines {
  readonly #session: Session;
  readonly #isPending: (match: PendingMatch) => boolean;
  readonly #claims: LineClaims;
  /** In the order in which they were found. */
  #held: PendingMatch[] = [];
  /** The held lines that are in an answer. */
  readonly #told = new Set<PendingMatch>();
  readonly #listeners = new Set<() => void>();
  /** The test of the last caller: whether it must hear of a line. */
  #isOurs = isAnybodys;
  /** Watches with lines that were dropped from memory because others must hear of them. */
  readonly #ofOthers = new Map<string, Found>();
  #collectAgain = (): void => undefined;
  #lookForRoom = (): void => undefined;

  /** @param isPending whether a line is unacknowledged and its watch is open. */
  constructor(session: Session, isPending: (match: PendingMatch) => boolean, claims: LineClaims) {
    this.#session = session;
    this.#isPending = isPending;
    this.#claims = claims;
    goOn('taking lines', this.#collectForGood());
  }

  /** Whether there is a line that was not told. */
  isWaiting(isOurs = isAnybodys): boolean {
    return this.#untold(isOurs).length > 0;
  }

  /**
   * Resolves when there is an untold line of the task; null: of any task. Rejects with the reason of the abort signal.
   */
  async arrived(taskId: string | null, abortSignal: AbortSignal, isOurs = isAnybodys): Promise<void> {
    const isThere = (): boolean =>
      this.#untold(isOurs).some((match) => taskId === null || match.taskId === taskId);
    while (!isThere()) {
      await this.#changed(abortSignal);
      abortSignal.throwIfAborted();
    }
  }

  /** Takes the lines that an answer carries. */
  ride(isOurs = isAnybodys): RidingLines {
    const untold = this.#untold(isOurs);
    const { ours: riders, giveBack } = this.#claims.claim(untold.slice(0, mostRiders));
    for (const match of riders) this.#told.add(match);
    const outcome: Outcome = {
      followed: async () => {
        const work = this.#acknowledge(riders);
        goOn('acknowledging lines', work);
        await Promise.allSettled([work]);
      },
      lost: () => {
        for (const match of riders) this.#told.delete(match);
        giveBack();
        this.#wake();
      },
    };
    return {
      found: riders.map((match) => this.#lineOf(match)),
      more: untold.length > riders.length,
      outcome: riders.length === 0 ? null : outcome,
    };
  }

  /** The held lines that are in no answer. Drops lines that others acknowledged, or whose watch was ended. */
  #untold(isOurs: IsOurs): PendingMatch[] {
    const before = this.#held.length;
    this.#held = this.#held.filter((match) => this.#told.has(match) || this.#isPending(match));
    this.#isOurs = isOurs;
    if (this.#held.length < before) this.#wake();
    else this.#lookForRoom();
    // The callers that had to hear of them may have died.
    if ([...this.#ofOthers.values()].some(isOurs)) this.#collectAgain();
    return this.#held.filter(
      (match) => !this.#told.has(match) && isOurs(match) && this.#claims.isFree(match),
    );
  }

  #watchesOf(taskId: string): { readonly id: string; readonly pattern: unknown }[] {
    try {
      return this.#session.task(taskId).watches();
    } catch (error) {
      // The task was removed.
      if (!(error instanceof OutliveError)) throw error;
      return [];
    }
  }

  #lineOf(match: PendingMatch): WatchedLine {
    const pattern = this.#watchesOf(match.taskId).find(({ id }) => id === match.watchId)?.pattern;
    const source = typeof pattern === 'string' ? pattern : (pattern as { readonly regexp: string }).regexp;
    return { match, task: this.#session.task(match.taskId).snapshot(), pattern: source };
  }

  /** To acknowledge a line acknowledges the earlier lines of its watch too. */
  async #acknowledge(matches: readonly PendingMatch[]): Promise<void> {
    const last = new Map(matches.map((match) => [watchOf(match), match]));
    await Promise.all([...last.values()].map((match) => match.ack()));
    for (const match of matches) this.#told.delete(match);
    this.#held = this.#held.filter((match) => !matches.includes(match));
    this.#wake();
  }

  /** A failure of the disk may pass, so it tries again a second later. */
  async #collectForGood(): Promise<void> {
    for (;;) {
      try {
        return await this.#collect();
      } catch (error) {
        if (error instanceof OutliveError && error.code === 'CLOSED') return;
        report('taking lines', error, this.#session.id);
        await new Promise<void>((resolve) => after(againMs, resolve));
      }
    }
  }

  async #collect(): Promise<void> {
    for (let isAgain = true; isAgain; ) {
      const over = new AbortController();
      this.#collectAgain = () => over.abort();
      this.#ofOthers.clear();
      for await (const match of this.#session.matches({ abortSignal: over.signal })) {
        // To acknowledge a line acknowledges the earlier ones of its watch. So once a line was dropped, none after it
        // is held.
        if (this.#ofOthers.has(watchOf(match))) continue;
        if (!this.#held.some((held) => isSame(held, match))) this.#held.push(match);
        this.#wake();
        while (this.#isFull() && !over.signal.aborted) await this.#room();
      }
      isAgain = over.signal.aborted;
    }
  }

  /**
   * When it is full, drops the lines that other callers must hear of. If this caller must hear of them later, it
   * collects them again.
   */
  #isFull(): boolean {
    if (this.#held.length < mostHeld) return false;
    for (const match of this.#held) if (!this.#isOurs(match)) this.#ofOthers.set(watchOf(match), match);
    this.#held = this.#held.filter((match) => this.#told.has(match) || this.#isOurs(match));
    return this.#held.length >= mostHeld;
  }

  /** Resolves when there may be room for more lines. */
  #room(): Promise<void> {
    const looked = new Promise<void>((resolve) => {
      this.#lookForRoom = resolve;
    });
    return Promise.race([looked, this.#changed()]);
  }

  /** Resolves at the next change, or when the signal is aborted. */
  #changed(abortSignal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.#listeners.delete(over);
        abortSignal?.removeEventListener('abort', over);
        resolve();
      };
      this.#listeners.add(over);
      if (abortSignal?.aborted) over();
      else abortSignal?.addEventListener('abort', over);
    });
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function watchOf({ taskId, watchId }: Found): string {
  return `${taskId} ${watchId}`;
}

/** After a failure, pending lines come again. */
function isSame(a: PendingMatch, b: PendingMatch): boolean {
  return a.taskId === b.taskId && a.watchId === b.watchId && a.lineOffset === b.lineOffset;
}

import { type Now, now } from '../../platform/clock.ts';

/** What becomes of one thing that was told: the client has gone on after it, or has not read it. */
export interface Outcome {
  /**
   * A later call shows that the client has gone on.
   * @param isSure it has read this. Else it may have given up its request in silence before the answer came.
   * @returns when what follows from it is done, where somebody waits for that.
   */
  followed(isSure: boolean): void | Promise<void>;
  /** It was not written, or its request was cancelled, perhaps long after the answer. */
  lost(): void;
}

/** How messages reach the client: in one pipe, which is read in order, or each by a way of its own. */
export type Way = 'pipe' | 'http';

/** The shortest limit of a request that clients are known to have is 5 s: an answer within this time was waited for. */
const promptMs = 2_000;

/** How many answers it keeps: a client may cancel a request after the answer was sent. */
const mostKept = 64;

/** A client that has cancelled this many calls after it had their answers, and at most one other, does so with each. */
const habitOf = 2;

/** A client may ask for the same end for ever and call no tool. Beyond this many, the oldest counts as not read. */
const mostOpen = 1_000;

interface Request {
  readonly isCall: boolean;
  readonly hearer: string | null;
  readonly at: Now;
}

interface Written {
  /** Null: nobody had asked for it. */
  readonly request: unknown;
  readonly outcomes: readonly Outcome[];
  /** It answers the call of a tool. */
  readonly isAnswer: boolean;
  readonly hearer: string | null;
  /**
   * Calls of the same hearer that were in progress when it was written: the hearer continues when all of them are
   * answered.
   */
  readonly before: Set<unknown>;
  readonly isPrompt: boolean;
  /** No call waits for it alone, so that the next one does not show that it was read. */
  readonly isBeside: boolean;
  /** The wall clock against the one that stands still while the machine sleeps. */
  readonly driftMs: number;
  isFollowed: boolean;
  isDecided: boolean;
}

/**
 * What the client of one connection has demonstrably received. To have written an answer is no proof: the client may die
 * before it reads, or have given up. The next call of a tool is one, if the answer was prompt and every call that was under
 * way when it was written has been answered as well. Other requests prove nothing, since clients send them by the clock.
 */
export class Receipts {
  readonly #isPipe: boolean;
  readonly #now: () => Now;
  /** Requests that have not been answered. */
  readonly #open = new Map<unknown, Request>();
  readonly #expected = new Map<unknown, Outcome[]>();
  #written: Written[] = [];
  /** Two calls have been under way at once: from then on the next call may have been on its way before an answer was read. */
  #overlapped = false;
  #answeredCalls = 0;
  #cancelledLate = 0;

  /** @param clock for tests. */
  constructor(way: Way, clock: () => Now = now) {
    this.#isPipe = way === 'pipe';
    this.#now = clock;
  }

  /**
   * A request has come; the call of a tool shows that who calls has gone on.
   * @param hearer who calls, as in `hearerIn`.
   */
  arrived(request: unknown, isCall: boolean, hearer: string | null = null): void {
    const at = this.#now();
    const decided = isCall ? this.#decide(hearer, at) : [];
    if (isCall) this.#overlapped ||= [...this.#open.values()].some((open) => open.isCall);
    this.#open.set(request, { isCall, hearer, at });
    for (const [written, isSure] of decided)
      for (const outcome of written.outcomes) void outcome.followed(isSure);
  }

  /** The answer to this request will carry something whose receipt matters. */
  expect(request: unknown, outcome: Outcome): void {
    if (this.#open.has(request)) {
      this.#expected.set(request, [...(this.#expected.get(request) ?? []), outcome]);
    } else outcome.lost(); // It was cancelled meanwhile, and will not be answered.
  }

  /** The answer to a request has been written. */
  answered(request: unknown): void {
    const asked = this.#open.get(request);
    if (asked?.isCall === true) this.#answeredCalls += 1;
    this.#keep(request, asked, this.#close(request));
  }

  /** Something has been written to the client that nobody had asked for. */
  wrote(outcomes: readonly Outcome[]): void {
    if (outcomes.length > 0) this.#keep(null, undefined, outcomes);
  }

  /** The client is one that cancels each call when it has the answer. */
  cancelsEach(): void {
    this.#cancelledLate = habitOf;
  }

  /**
   * A request was cancelled, or its client went away: its answer is not read, also if it was written. But opencode cancels
   * each request when it has the answer, which says nothing.
   */
  dropped(request: unknown): void {
    for (const outcome of this.#close(request)) outcome.lost();
    const written = this.#written.findLast((one) => one.request !== null && one.request === request);
    if (written === undefined) return;
    if (written.isAnswer) this.#cancelledLate += 1;
    if (this.#cancelledLate >= habitOf && this.#cancelledLate >= this.#answeredCalls - 1) return;
    this.#written = this.#written.filter((one) => one !== written);
    for (const outcome of written.outcomes) outcome.lost();
  }

  #close(request: unknown): Outcome[] {
    this.#open.delete(request);
    for (const written of this.#written) written.before.delete(request);
    const outcomes = this.#expected.get(request) ?? [];
    this.#expected.delete(request);
    return outcomes;
  }

  #keep(request: unknown, asked: Request | undefined, outcomes: readonly Outcome[]): void {
    const isAnswer = asked?.isCall === true;
    // Answers that tell nothing count too: what was written before them is read before them.
    if (!isAnswer && outcomes.length === 0) return;
    const at = this.#now();
    const hearer = asked?.hearer ?? null;
    const before = [...this.#open].filter(([, open]) => open.isCall && (!isAnswer || open.hearer === hearer));
    this.#written.push({
      request,
      outcomes,
      isAnswer,
      hearer,
      before: new Set(before.map(([key]) => key)),
      isPrompt: asked !== undefined && tookMs(asked.at, at) <= promptMs,
      isBeside: !isAnswer || this.#overlapped,
      driftMs: driftOf(at),
      isFollowed: false,
      isDecided: outcomes.length === 0,
    });
    this.#forget(true, mostKept);
    this.#forget(false, mostOpen);
  }

  #forget(isDecided: boolean, most: number): void {
    const alike = this.#written.filter((one) => one.isDecided === isDecided);
    if (alike.length <= most) return;
    const [oldest] = alike;
    this.#written = this.#written.filter((one) => one !== oldest);
    if (!isDecided) for (const outcome of oldest?.outcomes ?? []) outcome.lost();
  }

  /** What the call of a tool decides, and whether it is sure that it was read. */
  #decide(hearer: string | null, at: Now): [Written, boolean][] {
    const isSure = (written: Written): boolean =>
      !this.#isPipe || (written.isPrompt && Math.abs(driftOf(at) - written.driftMs) <= promptMs);
    let read = -1;
    for (const [index, written] of this.#written.entries()) {
      if (written.before.size > 0 || (written.isAnswer && written.hearer !== hearer)) continue;
      if (this.#isPipe && (!written.isAnswer || written.isFollowed)) continue;
      written.isFollowed = true;
      if (isSure(written)) read = index;
    }
    const decided: [Written, boolean][] = [];
    for (const [index, written] of this.#written.entries()) {
      const verdict = written.isDecided ? null : this.#verdict(written, index < read, isSure(written));
      if (verdict === null) continue;
      written.isDecided = true;
      decided.push([written, verdict]);
    }
    return decided;
  }

  /** Whether it was read, or null while that is open. What was written to a pipe before something that was read was read. */
  #verdict(written: Written, isBeforeRead: boolean, isSure: boolean): boolean | null {
    if (!this.#isPipe) return written.isFollowed ? true : null;
    if (!written.isAnswer) return isBeforeRead ? true : null;
    if (!written.isFollowed) return null;
    if (!isSure) return false;
    return written.isBeside && !isBeforeRead ? null : true;
  }
}

/** By both clocks: one of them stands still while the machine sleeps. */
function tookMs(from: Now, to: Now): number {
  return Math.max(to.monoMs - from.monoMs, to.epochMs - from.epochMs);
}

function driftOf({ epochMs, monoMs }: Now): number {
  return epochMs - monoMs;
}

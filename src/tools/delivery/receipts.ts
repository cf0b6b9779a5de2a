import { type Now, now } from '../../platform/clock.ts';

/** Hears what became of one thing that was told: the client has gone on after it, or has not read it. */
export interface Outcome {
  /**
   * A later call shows that the client has gone on.
   * @param isSure whether it has surely read this. If not, it may have given up its request before the answer came.
   * @returns a promise, if there is something to wait for.
   */
  followed(isSure: boolean): void | Promise<void>;
  /** It was not written, or its request was cancelled, perhaps long after the answer. */
  lost(): void;
}

/** How messages reach the client: in one pipe, which is read in order, or each in its own HTTP response. */
export type Way = 'pipe' | 'http';

/** The shortest request timeout of known clients is 5 s, so the client still waits for an answer within this time. */
const promptMs = 2_000;

/** How many answers it keeps: a client may cancel a request after the answer was sent. */
const mostKept = 64;

/**
 * A client that has cancelled this many calls after their answers, and all answered calls but one at most, cancels each
 * call.
 */
const habitOf = 2;

/** A client may ask for the same end forever and call no tool. Beyond this many, the oldest counts as not read. */
const mostOpen = 1_000;

interface Request {
  readonly isCall: boolean;
  readonly hearer: string | null;
  readonly at: Now;
}

interface Written {
  /** Null: no request asked for it. */
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
  /** The client may not have waited for it before its next call, so that call does not show that it was read. */
  readonly isBeside: boolean;
  /** The wall clock minus the clock that stands still while the machine sleeps. */
  readonly driftMs: number;
  isFollowed: boolean;
  isDecided: boolean;
}

/**
 * Tracks what the client of one connection has demonstrably received. That an answer was written proves nothing: the
 * client may die before it reads it, or have given up. The next tool call is proof, if the answer was prompt and every
 * call in progress when it was written has been answered too. Other requests prove nothing, since clients send them by
 * timer.
 */
export class Receipts {
  readonly #isPipe: boolean;
  readonly #now: () => Now;
  /** Requests that have not been answered. */
  readonly #open = new Map<unknown, Request>();
  readonly #expected = new Map<unknown, Outcome[]>();
  #written: Written[] = [];
  /**
   * Two calls have been in progress at once: from then on a call may have been sent before the last answer was read.
   */
  #overlapped = false;
  #answeredCalls = 0;
  #cancelledLate = 0;

  /** @param clock for tests. */
  constructor(way: Way, clock: () => Now = now) {
    this.#isPipe = way === 'pipe';
    this.#now = clock;
  }

  /**
   * Notes a request. A tool call shows that its caller has gone on.
   * @param hearer the caller, as in `hearerIn`.
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

  /** Notes that the answer to a request was written. */
  answered(request: unknown): void {
    const asked = this.#open.get(request);
    if (asked?.isCall === true) this.#answeredCalls += 1;
    this.#keep(request, asked, this.#close(request));
  }

  /** Notes that something was written to the client that it had not asked for. */
  wrote(outcomes: readonly Outcome[]): void {
    if (outcomes.length > 0) this.#keep(null, undefined, outcomes);
  }

  /** Notes that this client cancels each call when it has the answer. */
  cancelsEach(): void {
    this.#cancelledLate = habitOf;
  }

  /**
   * Notes that a request was cancelled, or its client went away: its answer was not read, even if it was written. But
   * opencode cancels each request when it has the answer; such a cancel says nothing.
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
    // Answers that tell nothing count too: a client that has read one has read everything before it.
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

  /** What a tool call decides: the things that were written, and whether each was surely read. */
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

  /** Whether it was read; null while that is open. If something in a pipe was read, so was everything before it. */
  #verdict(written: Written, isBeforeRead: boolean, isSure: boolean): boolean | null {
    if (!this.#isPipe) return written.isFollowed ? true : null;
    if (!written.isAnswer) return isBeforeRead ? true : null;
    if (!written.isFollowed) return null;
    if (!isSure) return false;
    return written.isBeside && !isBeforeRead ? null : true;
  }
}

/** The longer time of both clocks: one of them stands still while the machine sleeps. */
function tookMs(from: Now, to: Now): number {
  return Math.max(to.monoMs - from.monoMs, to.epochMs - from.epochMs);
}

function driftOf({ epochMs, monoMs }: Now): number {
  return epochMs - monoMs;
}

/** Says what becomes of an answer: the client has it, or it never went out. */
export interface Outcome {
  received(): void;
  lost(): void;
}

interface Written {
  readonly outcomes: readonly Outcome[];
  /** Calls that were under way when it was written: their agent goes on when all of them are answered. */
  readonly before: Set<unknown>;
}

/**
 * What the client of one connection has demonstrably received. To have written an answer is no proof: the
 * client may die before it reads. The next call of a tool is one, if every call that was under way when the
 * answer was written has been answered as well: an agent that calls several tools at once goes on when it has
 * all of their answers. Other requests prove nothing, since clients send them by the clock.
 */
export class Receipts {
  /** Requests that have not been answered, and whether each is the call of a tool. */
  readonly #open = new Map<unknown, boolean>();
  readonly #expected = new Map<unknown, Outcome[]>();
  #written: Written[] = [];

  /** A request has come; the call of a tool proves what was written before. */
  arrived(request: unknown, isCall: boolean): void {
    const proven = isCall ? this.#written.filter((answer) => answer.before.size === 0) : [];
    this.#written = this.#written.filter((answer) => !proven.includes(answer));
    this.#open.set(request, isCall);
    for (const answer of proven) for (const outcome of answer.outcomes) outcome.received();
  }

  /** The answer to this request will carry something whose receipt matters. */
  expect(request: unknown, outcome: Outcome): void {
    if (this.#open.has(request)) {
      this.#expected.set(request, [...(this.#expected.get(request) ?? []), outcome]);
    } else outcome.lost(); // It was cancelled meanwhile, and will not be answered.
  }

  /** The answer to a request has been written. */
  answered(request: unknown): void {
    this.wrote(this.#close(request));
  }

  /** Something has been written to the client that nobody had asked for. */
  wrote(outcomes: readonly Outcome[]): void {
    if (outcomes.length === 0) return;
    const calls = [...this.#open].filter(([, isCall]) => isCall).map(([request]) => request);
    this.#written.push({ outcomes, before: new Set(calls) });
  }

  /** A request will not be answered: it was cancelled, or its client went away. */
  dropped(request: unknown): void {
    for (const outcome of this.#close(request)) outcome.lost();
  }

  #close(request: unknown): Outcome[] {
    this.#open.delete(request);
    for (const answer of this.#written) answer.before.delete(request);
    const outcomes = this.#expected.get(request) ?? [];
    this.#expected.delete(request);
    return outcomes;
  }
}

/** Says what becomes of an answer: the client has it, or it never went out. */
export interface Outcome {
  received(): void;
  lost(): void;
}

interface Written {
  readonly outcomes: readonly Outcome[];
  /** Requests that were here when the answer was written: their senders need not have read it. */
  readonly before: Set<unknown>;
}

/**
 * What the client of one connection has demonstrably received. To have written an answer is no proof: the
 * client may die before it reads. A request is one, if it came after the answer, and every request that was
 * under way when the answer was written has been answered as well: for only then was it sent by somebody who
 * had nothing else to read first.
 */
export class Receipts {
  readonly #inFlight = new Set<unknown>();
  readonly #expected = new Map<unknown, Outcome[]>();
  #written: Written[] = [];

  /** A request has come; it proves what was written before. */
  arrived(request: unknown): void {
    const proven = this.#written.filter((answer) => answer.before.size === 0);
    this.#written = this.#written.filter((answer) => answer.before.size > 0);
    this.#inFlight.add(request);
    for (const answer of proven) for (const outcome of answer.outcomes) outcome.received();
  }

  /** The answer to this request will carry something whose receipt matters. */
  expect(request: unknown, outcome: Outcome): void {
    this.#expected.set(request, [...(this.#expected.get(request) ?? []), outcome]);
  }

  /** The answer to a request has been written. */
  answered(request: unknown): void {
    this.wrote(this.#close(request));
  }

  /** Something has been written to the client that nobody had asked for. */
  wrote(outcomes: readonly Outcome[]): void {
    if (outcomes.length > 0) this.#written.push({ outcomes, before: new Set(this.#inFlight) });
  }

  /** A request will not be answered: it was cancelled, or its client went away. */
  dropped(request: unknown): void {
    for (const outcome of this.#close(request)) outcome.lost();
  }

  #close(request: unknown): Outcome[] {
    this.#inFlight.delete(request);
    for (const answer of this.#written) answer.before.delete(request);
    const outcomes = this.#expected.get(request) ?? [];
    this.#expected.delete(request);
    return outcomes;
  }
}

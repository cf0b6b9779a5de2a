import { isDeepStrictEqual } from 'node:util';

/** Something that the scene says happened, and whether it did. */
export interface Claim {
  readonly text: string;
  readonly holds: boolean;
  /** What was found in its place, as text. */
  readonly found: string;
}

/** Collects claims, so that the end of the scene can say which of them are not true. */
export class Claims {
  readonly all: Claim[] = [];
  readonly #report: (claim: Claim) => void;

  /** @param report called with each claim, to pass it on to another process. */
  constructor(report: (claim: Claim) => void = () => undefined) {
    this.#report = report;
  }

  /** Claims that something is exactly what was expected. */
  equal(text: string, found: unknown, expected: unknown): void {
    this.add({ text, holds: isDeepStrictEqual(found, expected), found: JSON.stringify(found) ?? 'nothing' });
  }

  /** Claims that something is so. */
  that(text: string, holds: boolean, found: unknown = holds): void {
    this.add({ text, holds, found: JSON.stringify(found) ?? 'nothing' });
  }

  /** Adds a claim that was checked already. */
  add(claim: Claim): void {
    this.all.push(claim);
    this.#report(claim);
  }
}

import type { TestContext } from 'node:test';

/** Numbers that chance chooses, the same ones again for the same seed. */
export class Chance {
  readonly seed: number;
  #state: number;

  /** The seed is `OUTLIVE_PROVE_SEED`, else a new one; it is told, so that a failure can be had again. */
  constructor(t: TestContext) {
    this.seed = Number(process.env.OUTLIVE_PROVE_SEED ?? Math.floor(Math.random() * 2 ** 31));
    this.#state = this.seed;
    t.diagnostic(`OUTLIVE_PROVE_SEED=${this.seed}`);
  }

  /** A whole number from 0 to `below`, which is not reached. */
  number(below: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  }

  /** One of some. */
  of<T>(items: readonly [T, ...T[]]): T {
    return items[this.number(items.length)] ?? items[0];
  }
}

/** When a file of test/prove has used its time, in milliseconds of `performance.now()`. */
export function endOfBudget(share = 1): number {
  return performance.now() + Number(process.env.OUTLIVE_PROVE_SECONDS ?? 60) * 1_000 * share;
}

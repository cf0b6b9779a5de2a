/** This many a second, and as many at once after a rest. Times are milliseconds of one clock that only goes forward. */
export class Pace {
  readonly #perSecond: number;
  #saved: number;
  #lookedAt: number;

  /** @param perSecond above 0; `Infinity` has no limit. */
  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#saved = Math.max(1, perSecond);
    this.#lookedAt = nowMs;
  }

  /** Whether one may go now; then it counts. */
  take(nowMs: number): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true;
    const earned = ((nowMs - this.#lookedAt) * this.#perSecond) / 1000;
    this.#saved = Math.min(Math.max(1, this.#perSecond), this.#saved + earned);
    this.#lookedAt = nowMs;
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }

  /** Milliseconds from the last `take` until one may go again; 0 when one may already. */
  get pauseMs(): number {
    return this.#saved >= 1 ? 0 : (1 - this.#saved) * (1000 / this.#perSecond);
  }
}

import { monotonicMs } from './wait.ts';

/** What cannot wait for another turn gets so much of this one, all together: less than anybody notices. */
const hurryMs = 25;

/**
 * Shares the turns of the event loop among all who have work that can be done in small jobs. Together they do so much in
 * a turn; then whatever else is ready comes first.
 */
export class Turns {
  readonly #mostSteps: number;
  readonly #nowMs: () => number;
  readonly #waiting: (() => void)[] = [];
  #left: number;
  #hurriedMs = 0;
  #isOver = true;

  /**
   * @param mostSteps what the jobs of a turn may cost, but for the last of them.
   * @param nowMs the clock that tells how long a job took that could not wait.
   */
  constructor(mostSteps: number, nowMs = monotonicMs) {
    this.#mostSteps = mostSteps;
    this.#nowMs = nowMs;
    this.#left = mostSteps;
  }

  /**
   * Runs a job: at once if this turn has room for it, else in a later one, in the order of the calls.
   * @param costOf what it has cost, told when it is done.
   */
  run<T>(job: () => T, costOf: (result: T) => number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          const result = job();
          this.#left -= costOf(result);
          resolve(result);
        } catch (error) {
          reject(error);
        }
      });
      this.#serve();
    });
  }

  /**
   * Runs a job at once, however full this turn is.
   * @returns null when too much was run like that in this turn already.
   */
  hurry<T>(job: () => T): T | null {
    if (this.#hurriedMs >= hurryMs) return null;
    this.#beginTurn();
    const begin = this.#nowMs();
    try {
      return job();
    } finally {
      this.#hurriedMs += this.#nowMs() - begin;
    }
  }

  #serve(): void {
    this.#beginTurn();
    while (this.#left > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  #beginTurn(): void {
    if (!this.#isOver) return;
    this.#isOver = false;
    setImmediate(() => {
      this.#isOver = true;
      this.#left = this.#mostSteps;
      this.#hurriedMs = 0;
      if (this.#waiting.length > 0) this.#serve();
    });
  }
}

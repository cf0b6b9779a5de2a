/**
 * Runs jobs one after another, and lets the event loop breathe between them: a burst of spawns, each of
 * which blocks for a millisecond in `fork`, must not hold everything else up.
 */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #length = 0;

  /** Runs a job when those before it are done; its result or error is the caller's alone. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    this.#length += 1;
    const mustYield = this.#length > 1;
    const result = this.#tail.then(async () => {
      if (mustYield) await new Promise((resolve) => setImmediate(resolve));
      return await job();
    });
    this.#tail = result
      .catch(() => undefined)
      .then(() => {
        this.#length -= 1;
      });
    return result;
  }
}

/**
 * Runs jobs one after another, one a turn of the event loop: a burst of spawns, each of which blocks for a
 * millisecond in `fork`, must not hold everything else up.
 */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();
  #turnIsUsed = false;

  /** Runs a job when those before it are done; its result or error is the caller's alone. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      if (this.#turnIsUsed) await nextTurn();
      this.#useTurn();
      return await job();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #useTurn(): void {
    this.#turnIsUsed = true;
    setImmediate(() => {
      this.#turnIsUsed = false;
    });
  }
}

/** Has those who enter go on one after another, in the order in which they came. */
export class Line {
  #last: Promise<void> = Promise.resolve();

  /** `turn` resolves when all who entered before have left; nobody's turn comes before this one has left. */
  enter(): { readonly turn: Promise<void>; readonly leave: () => void } {
    const turn = this.#last;
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#last = turn.then(() => left);
    return { turn, leave };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The longest delay that a Node timer can hold, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Resolves after that many milliseconds. It keeps the process alive: somebody awaits it in the middle of some work,
 * and Node would end a process that has nothing else to do without a word (with status 13).
 */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.min(ms, longestTimerMs));
  });
}

/**
 * Milliseconds on a clock that never steps, from no moment in particular: it measures how long something took. It is
 * the clock of `performance.now()`, but using that would make Node load modules for a millisecond.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Lets everything else that is ready on the event loop run first. */
export function yieldToOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** How many milliseconds at most work blocks the event loop at a stretch. */
const stretchMs = 5;

/** The same items, with the event loop given back from time to time: there may be tens of thousands. */
export async function* unhurried<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  let stretch = monotonicMs();
  for (const item of items) {
    yield item;
    if (monotonicMs() - stretch < stretchMs) continue;
    await yieldToOthers();
    stretch = monotonicMs();
  }
}

/** A timer of any length that does not keep the process alive. */
export interface Timer {
  cancel(): void;
}

/** Calls back once after `ms` milliseconds, also where that is longer than a Node timer can hold. */
export function after(ms: number, callback: () => void): Timer {
  let handle: NodeJS.Timeout;
  const arm = (left: number): void => {
    const step = Math.min(Math.max(0, left), longestTimerMs);
    handle = setTimeout(() => (left > step ? arm(left - step) : callback()), step);
    handle.unref();
  };
  arm(ms);
  return { cancel: () => clearTimeout(handle) };
}

let holders = 0;
let handle: NodeJS.Timeout | undefined;

/**
 * Keeps the process alive until the returned function is called. An open store does not: a program that has
 * nothing left to do ends, and its tasks go on. But somebody who waits for a task is waiting for something.
 */
export function holdProcess(): () => void {
  holders += 1;
  handle ??= setInterval(() => undefined, 2 ** 31 - 1);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    holders -= 1;
    if (holders > 0) return;
    clearInterval(handle);
    handle = undefined;
  };
}

/** The writer for whom the bound on overshoot is promised, in bytes a millisecond: 500 MB/s. */
const promisedWriter = 5e5;

/** By so much of its limit a task may have passed it when it is gone, with somebody watching. */
export const overshoot = 0.1;

/** The longest pause between two looks that distance alone decides. */
const longestPauseMs = 2_000;

/**
 * How long a task with so many bytes left up to its limit need not be looked at: half of the overshoot is for
 * the look, the other half for the stop. From 20 ms to 2 s, in steps of which each divides the next, so that
 * ticks fall together.
 */
export function pauseFor(bytesLeft: number, limit: number): number {
  const pause = (Math.max(0, bytesLeft) + (limit * overshoot) / 2) / promisedWriter;
  // Called for every task at every look, also by a keeper that compiles nothing: no list to search.
  if (pause >= longestPauseMs) return longestPauseMs;
  if (pause >= 1_000) return 1_000;
  if (pause >= 200) return 200;
  return pause >= 100 ? 100 : 20;
}

/** The next tick of a pause that {@link pauseFor} gave: never later than the pause. */
export function nextLook(time: number, pause: number): number {
  return (Math.floor(time / pause) + 1) * pause;
}

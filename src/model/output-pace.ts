/** The writer for whom the bound on overshoot is promised, in bytes a millisecond: 500 MB/s. */
const promisedWriter = 5e5;

/** By so much of its limit a task may have passed it when it is gone, with somebody watching. */
export const overshoot = 0.1;

/** Pauses between two looks at a size, in milliseconds. Each divides the next, so that ticks fall together. */
const grids = [20, 100, 200, 1_000, 2_000] as const;

/**
 * How long a task with so many bytes left up to its limit need not be looked at: half of the overshoot is for
 * the look, the other half for the stop. From 20 ms to 2 s.
 */
export function pauseFor(bytesLeft: number, limit: number): number {
  const pause = (Math.max(0, bytesLeft) + (limit * overshoot) / 2) / promisedWriter;
  return grids.findLast((grid) => grid <= pause) ?? grids[0];
}

/** The next tick of a pause that {@link pauseFor} gave: never later than the pause. */
export function nextLook(time: number, pause: number): number {
  return (Math.floor(time / pause) + 1) * pause;
}

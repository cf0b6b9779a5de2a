/**
 * No writer is taken to be faster than this, in bytes a millisecond: 2 GB/s, into the memory of the kernel. The bound
 * on overshoot is promised for 500 MB/s, since nobody looks twice within 20 ms.
 */
const fastestWriter = 2e6;

/** By so much of its limit a task may have passed it when it is gone, with somebody watching. */
export const overshoot = 0.1;

/**
 * How long a task with this many bytes left up to its limit needs no check: half of the overshoot is for the check, the
 * other half for the stop. From 20 ms to 1 s, in steps of which each divides the next, so that ticks fall together.
 */
export function pauseFor(bytesLeft: number, limit: number): number {
  const pause = (Math.max(0, bytesLeft) + (limit * overshoot) / 2) / fastestWriter;
  // Called for every task at every look, no list to search.
  if (pause >= 1_000) return 1_000;
  if (pause >= 500) return 500;
  return pause >= 100 ? 100 : 20;
}

/** The next tick of a pause that {@link pauseFor} gave: never later than the pause. */
export function nextLook(time: number, pause: number): number {
  return (Math.floor(time / pause) + 1) * pause;
}

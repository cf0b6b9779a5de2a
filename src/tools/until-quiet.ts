import { monotonicMs, sleep } from '../util/wait.ts';

/** What a check of a task finds. */
interface Found {
  /** How much it has written. */
  readonly bytes: number;
  /** It has ended, or nobody waits any more. */
  readonly isOver: boolean;
}

/** When a task counts as quiet, in milliseconds. */
export interface Quiet {
  /** How long nothing must have been written. */
  readonly quietMs: number;
  /** How long, for a program that has not written anything yet. */
  readonly firstMs: number;
  /** Between two checks. */
  readonly checkMs: number;
}

/**
 * Waits until a task has written something and then nothing more for a moment, or has ended, or the time is up.
 * @param before how much it had written.
 * @param waitMs how long to wait at most, in milliseconds.
 * @returns what the last check has found.
 */
export async function untilQuiet<What extends Found>(
  check: () => What | Promise<What>,
  before: number,
  waitMs: number,
  { quietMs, firstMs, checkMs }: Quiet,
): Promise<What> {
  const begin = monotonicMs();
  let { bytes, since } = { bytes: before, since: begin };
  for (;;) {
    const found = await check();
    const now = monotonicMs();
    if (found.bytes !== bytes) ({ bytes, since } = { bytes: found.bytes, since: now });
    const isQuiet = now - since >= (bytes === before ? firstMs : quietMs);
    if (found.isOver || isQuiet || now - begin >= waitMs) return found;
    await sleep(Math.min(checkMs, Math.max(1, waitMs - (now - begin))));
  }
}

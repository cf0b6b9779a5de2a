import { uptime } from 'node:os';

/** Now, on both clocks. */
export interface Now {
  /** By the wall clock, which people and time servers set. */
  readonly epochMs: number;
  /** Milliseconds by the clock that all processes of one boot share, and that nobody sets. */
  readonly monoMs: number;
}

/** Reads the clocks. */
export function now(): Now {
  return { epochMs: Date.now(), monoMs: Number(process.hrtime.bigint() / 1_000_000n) };
}

/** The clock of {@link bootMs} goes in steps of that, in milliseconds. */
export const bootTickMs = process.platform === 'linux' ? 10 : 1_000;

/**
 * Milliseconds since the start of the machine, by a clock that goes on while the machine sleeps, and that nobody sets. Within
 * one step of it ({@link bootTickMs}) it may be late.
 */
export function bootMs(): number {
  return Math.round(uptime() * 1_000);
}

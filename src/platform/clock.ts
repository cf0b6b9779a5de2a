import { uptime } from 'node:os';

/** Now, on both clocks. */
export interface Now {
  /** By the wall clock, which people and time servers set. */
  readonly epochMs: number;
  /**
   * Milliseconds since boot, the clock of kernel start times, to 10 ms; `null` where the shim cannot read
   * the same clock (macOS).
   */
  readonly uptimeMs: number | null;
}

/** Reads the clocks. */
export function now(): Now {
  return {
    epochMs: Date.now(),
    uptimeMs: process.platform === 'linux' ? Math.round(uptime() * 1000) : null,
  };
}

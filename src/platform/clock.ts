import { readFileSync } from 'node:fs';
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
    uptimeMs: process.platform === 'linux' ? Math.round(uptimeSeconds() * 1000) : null,
  };
}

/** Bun's `uptime()` gives whole seconds, and Node's is what this file says. */
function uptimeSeconds(): number {
  const seconds = uptime();
  if (!Number.isInteger(seconds)) return seconds;
  try {
    return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  } catch {
    return seconds;
  }
}

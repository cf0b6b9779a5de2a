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

/** On Windows the exit marker is a file, and the time of that is put on this clock by whoever reads it. */
const hasClock = process.platform === 'linux' || process.platform === 'win32';

/** Reads the clocks. */
export function now(): Now {
  return {
    epochMs: Date.now(),
    uptimeMs: hasClock ? Math.round(uptimeSeconds() * 1000) : null,
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

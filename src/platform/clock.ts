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

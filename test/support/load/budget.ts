/** What each file of test/prove may take, in seconds: `$OUTLIVE_PROVE_SECONDS`, else a minute. */
export const budgetSeconds = Number(process.env.OUTLIVE_PROVE_SECONDS ?? 60);

/** The seed of all that is left to chance: `$OUTLIVE_PROVE_SEED`, else another one each time. */
export const proveSeed = Number(process.env.OUTLIVE_PROVE_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** A part of the budget, in milliseconds. */
export function shareMs(share: number): number {
  return budgetSeconds * 1000 * share;
}

/** So much of what the full form does, where the budget is less than that form needs. Never under a tenth. */
export function scaled(full: number, fullSeconds: number): number {
  return Math.max(Math.ceil(full / 10), Math.min(full, Math.round((full * budgetSeconds) / fullSeconds)));
}

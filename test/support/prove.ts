import fc from 'fast-check';

/** A run of a property, and how to do it again. */
interface Run {
  readonly seed: number;
  readonly path?: string;
}

const seconds = Number(process.env.OUTLIVE_PROVE_SECONDS ?? 60);
const { OUTLIVE_PROVE_SEED: askedSeed, OUTLIVE_PROVE_PATH: askedPath } = process.env;

/** The seed that this run starts from: the one asked for, else a new one. */
const firstSeed = askedSeed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(askedSeed);

/**
 * Tries a property with values of its own for a share of the time that a file has (`OUTLIVE_PROVE_SECONDS`, 60).
 * Between two looks at the clock `atOnce` values are tried. A failure names the seed and the path; given as `OUTLIVE_PROVE_SEED` and `OUTLIVE_PROVE_PATH` they do it again.
 * @returns how many values were tried.
 */
export async function prove<T>(
  property: fc.IRawProperty<T>,
  {
    share = 1,
    shrink = true,
    atOnce = 4,
  }: { readonly share?: number; readonly shrink?: boolean; readonly atOnce?: number } = {},
): Promise<number> {
  const end = performance.now() + seconds * 1000 * share;
  let runs = 0;
  for (let seed = firstSeed; ; seed += 1) {
    const run: Run = { seed, ...(askedPath !== undefined && { path: askedPath }) };
    await tryOut(property, run, { numRuns: atOnce, shrink });
    runs += atOnce;
    if (askedPath !== undefined || performance.now() > end) return runs;
  }
}

/** Tries a property so many times: the short form. Seeds as for {@link prove}. */
export async function tryOften<T>(
  property: fc.IRawProperty<T>,
  numRuns: number,
  { shrink = true }: { readonly shrink?: boolean } = {},
): Promise<void> {
  const run: Run = { seed: firstSeed, ...(askedPath !== undefined && { path: askedPath }) };
  await tryOut(property, run, { numRuns, shrink });
}

async function tryOut<T>(
  property: fc.IRawProperty<T>,
  run: Run,
  { numRuns, shrink }: { readonly numRuns: number; readonly shrink: boolean },
): Promise<void> {
  const many = run.path === undefined ? numRuns : 1;
  const details = await fc.check(property, { ...run, numRuns: many, endOnFailure: !shrink });
  if (!details.failed) return;
  const { counterexamplePath, errorInstance } = details;
  const again = `OUTLIVE_PROVE_SEED=${run.seed} OUTLIVE_PROVE_PATH=${counterexamplePath}`;
  const report = await fc.asyncDefaultReportMessage(details);
  throw new Error(`again with: ${again}\n${wholeOf(errorInstance)}\n${report}`, { cause: errorInstance });
}

/** An error that came while another one was on its way, with both. */
function wholeOf(failure: unknown): string {
  const { error, suppressed, stack = String(failure) } = failure as SuppressedError;
  const others = [suppressed, error].filter((one) => one !== undefined);
  return [...others.map(wholeOf), stack].join('\n');
}

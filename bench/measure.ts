/** One thing to be timed; gives its own figure, so that what surrounds the measured stretch is left out. */
export type Subject = () => Promise<number>;

/** The figures of subjects that took turns. */
export type Samples<K extends string> = Readonly<Record<K, readonly number[]>>;

/**
 * Lets subjects take turns, the order reversed each round (A B, B A, ...), so that a machine that becomes
 * slower or faster meanwhile does so for all of them. The first rounds do not count: by then the code is
 * compiled and the files are in memory.
 */
export async function takeTurns<K extends string>(
  rounds: number,
  subjects: Readonly<Record<K, Subject>>,
  warmUps = 3,
): Promise<Samples<K>> {
  const names = Object.keys(subjects) as K[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<K, number[]>;
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await subjects[name]();
      if (round >= 0) samples[name].push(figure);
    }
  }
  return samples;
}

/** The middle one of some figures. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** The figure that 95 of 100 do not exceed. */
export function p95(figures: readonly number[]): number {
  return quantile(figures, 0.95);
}

function quantile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (found === undefined) throw new Error('expected at least one figure; found none');
  return found;
}

/** Milliseconds that an action takes. */
export async function timed(action: () => unknown): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

/** Resolves after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Nothing in a benchmark takes this long unless it does not work. */
const brokenAfterMs = 60_000;

/** Waits for what must come; an error that says what it was when it does not. */
export async function must<T>(what: string, coming: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited ${brokenAfterMs} ms in vain for ${what}`)),
      brokenAfterMs,
    );
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}

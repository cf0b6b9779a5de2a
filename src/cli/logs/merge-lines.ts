import type { Line } from './line-source.ts';

/** Lines of one stream in their order, some at a time. */
export type Batches = AsyncGenerator<readonly Line[], void, undefined>;

interface Head {
  readonly batches: Batches;
  lines: readonly Line[];
  /** The next one of them. */
  at: number;
}

/**
 * The lines of several streams in the order in which they had been written. That is known to a second or so: lines of one
 * stream that have one time stay together, and those whose time nobody knows come first.
 */
export async function* mergeLines(sources: readonly Batches[]): Batches {
  const heads: Head[] = [];
  for (const batches of sources) {
    const head: Head = { batches, lines: [], at: 0 };
    if (await refill(head)) heads.push(head);
  }
  let [current] = heads;
  while (current !== undefined) {
    const { lines, at } = current;
    const others = heads.filter((head) => head !== current);
    const earliest = Math.min(...others.map(timeOf));
    let end = at;
    while (end < lines.length && (lines[end]?.at ?? 0) <= earliest) end += 1;
    if (end > at) yield lines.slice(at, end);
    current.at = end;
    if (end === lines.length && !(await refill(current))) heads.splice(heads.indexOf(current), 1);
    else if (timeOf(current) <= earliest) continue;
    current = heads.find((head) => timeOf(head) === earliest);
  }
}

/** The next lines, if there are any more. */
async function refill(head: Head): Promise<boolean> {
  for (;;) {
    const next = await head.batches.next();
    if (next.done) return false;
    if (next.value.length === 0) continue;
    head.lines = next.value;
    head.at = 0;
    return true;
  }
}

function timeOf({ lines, at }: Head): number {
  return lines[at]?.at ?? 0;
}

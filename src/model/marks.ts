/** Says that everything before an offset of the output had been written at a time. */
export interface OutputMark {
  /** As the command wrote the bytes. */
  readonly offset: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * Where the output begins that was written at a time or later. Where marks are far apart it is too early, never too late.
 * @param marks in their order, the last of which is the end of the output.
 */
export function offsetSince(marks: readonly OutputMark[], since: number): number {
  return marks.findLast(({ at }) => at < since)?.offset ?? 0;
}

/**
 * When a byte had been written, in epoch milliseconds: not long after it was, where marks are close together.
 * @param marks in their order, the last of which is the end of the output. `null`: they do not reach so far.
 */
export function writtenAt(marks: readonly OutputMark[], offset: number): number | null {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.offset ?? 0) > offset) high = middle;
    else low = middle + 1;
  }
  return marks[low]?.at ?? null;
}

import { type LineMatcher, LineSearch, type PatternMatch } from '../model/line-search.ts';
import { type OutputFile, readOutput } from '../tasklog/output.ts';

/** So much is read and searched before somebody else has his turn. */
export const searchStepBytes = 256 * 1024;

/** Searches a file of output from an offset on, as it grows. */
export class OutputSearch {
  readonly #lines: LineSearch;
  #offset: number;

  /** @param lineIsSeen what is left of the line that `from` is in is not searched. */
  constructor(matcher: LineMatcher, from: number, lineIsSeen = false) {
    this.#lines = new LineSearch(matcher, from, lineIsSeen);
    this.#offset = from;
  }

  /** So far the output was searched. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Searches the next stretch.
   * @returns its matches, in order, and whether more is there to be searched at once. When nothing is, the
   * line that has not ended is searched too.
   */
  step(file: OutputFile): { readonly matches: readonly PatternMatch[]; readonly more: boolean } {
    const found = readOutput(file, this.#offset, searchStepBytes);
    // An offset that nothing was written at yet.
    if (found.nextOffset < this.#offset) return { matches: [], more: false };
    const matches = this.#lines.take(found.bytes, found.bytes.length === 0 ? this.#offset : found.offset);
    if (found.bytes.length > 0) this.#offset = found.nextOffset;
    if (found.nextOffset < found.size) return { matches, more: true };
    const last = this.#lines.rest();
    return { matches: last === null ? matches : [...matches, last], more: false };
  }
}

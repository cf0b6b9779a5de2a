import { type LineMatcher, LineSearch, type PatternMatch } from '../../model/line-search.ts';
import { turnSteps } from '../../model/pattern-cost.ts';
import { type OutputFile, readOutput } from '../../tasklog/output.ts';
import { Turns } from '../../util/turns.ts';

/** All searches in this process share the turns of its event loop. */
export const searchTurns = new Turns(turnSteps);

/** What a step of a search came to. */
export interface SearchStep {
  /** In order. */
  readonly matches: readonly PatternMatch[];
  /** More is there to be searched at once. */
  readonly more: boolean;
  /** What it cost: see model/pattern-cost.ts. */
  readonly steps: number;
  /** The offset at which the file begins. */
  readonly beginsAt: number;
}

/** Searches a file of output from an offset on, as it grows. */
export class OutputSearch {
  readonly #lines: LineSearch;
  readonly #stretchBytes: number;
  #offset: number;

  /** @param lineIsSeen what is left of the line that `from` is in is not searched. */
  constructor(matcher: LineMatcher, from: number, lineIsSeen = false) {
    this.#lines = new LineSearch(matcher, from, lineIsSeen);
    this.#stretchBytes = matcher.stretchBytes;
    this.#offset = from;
  }

  /** So far the output was searched. */
  get offset(): number {
    return this.#offset;
  }

  /** Searches the next stretch when it is its turn. */
  next(file: OutputFile): Promise<SearchStep> {
    return searchTurns.run(
      () => this.step(file),
      ({ steps }) => steps,
    );
  }

  /** Searches the next stretch. When nothing is left, the line that has not ended is searched too. */
  step(file: OutputFile): SearchStep {
    const found = readOutput(file, this.#offset, this.#stretchBytes);
    const { bytes, offset, nextOffset, size, beginsAt } = found;
    const matches: PatternMatch[] = [];
    // Where the output was made shorter a line begins, whatever stood before it.
    if (offset === beginsAt && offset > 0) add(matches, this.#lines.breakLine(offset));
    if (offset > this.#offset || bytes.length > 0) {
      matches.push(...this.#lines.take(bytes, offset));
      this.#offset = nextOffset;
    }
    const more = nextOffset < size;
    if (!more) add(matches, this.#lines.rest());
    return { matches, more, steps: this.#lines.spent(), beginsAt };
  }
}

function add(matches: PatternMatch[], match: PatternMatch | null): void {
  if (match !== null) matches.push(match);
}

import { bounds } from './limits.ts';
import type { SeenFact, TellingFact, UntellingFact, UnwatchFact, WatchFact } from './watch-facts.ts';

/** How many reports of a watch count. Each ends with an acknowledgement, and few are open at a time. */
const mostTellings = 64;

/** A durable watch, as the facts of its task tell it. */
export interface Watch {
  readonly fact: WatchFact;
  /** Acknowledgements that went further than those before them in the same file, in order. */
  readonly seen: readonly SeenFact[];
  /** How far they went in each file, by the offset at which it began for their authors. */
  readonly furthest: ReadonlyMap<number, number>;
  /** The parties that report its matches, in order, by the id of the report; without those that were taken back. */
  readonly tellings: ReadonlyMap<string, TellingFact>;
  /** It is over. */
  readonly closed: boolean;
  /** It is over since its task has ended, and nobody has removed it. */
  readonly endedWithTask: boolean;
}

/** One that is being built. */
interface OpenWatch extends Watch {
  readonly seen: SeenFact[];
  readonly furthest: Map<number, number>;
  readonly tellings: Map<string, TellingFact>;
  closed: boolean;
  endedWithTask: boolean;
}

/** The durable watches of a task, built from its facts in their order. Each fact costs the same, however many there are. */
export class WatchList {
  readonly #watches = new Map<string, OpenWatch>();
  #open = 0;

  /** Adds a fact. */
  add(fact: WatchFact | SeenFact | TellingFact | UntellingFact | UnwatchFact): void {
    const known = this.#watches.get(fact.fact === 'watch' ? fact.id : fact.watch);
    const open = known?.closed === false ? known : undefined;
    if (fact.fact === 'watch') {
      // A task may write what it likes into its own record.
      if (open !== undefined || this.#open >= bounds.watches) return;
      this.#open += 1;
      // One that is opened again is the last one.
      this.#watches.delete(fact.id);
      this.#watches.set(fact.id, {
        ...{ fact, seen: [], furthest: new Map(), tellings: new Map() },
        ...{ closed: false, endedWithTask: false },
      });
    } else if (open === undefined) return;
    else if (fact.fact === 'unwatch') {
      open.endedWithTask = fact.ended === true;
      this.#close(open);
    } else if (fact.fact === 'untelling') open.tellings.delete(fact.id);
    else if (fact.fact === 'telling') addTelling(open.tellings, fact);
    else if (fact.offset > (open.furthest.get(beginOf(fact)) ?? -1)) {
      open.furthest.set(beginOf(fact), fact.offset);
      open.seen.push(fact);
      if (open.fact.once) this.#close(open);
    }
  }

  #close(watch: OpenWatch): void {
    watch.closed = true;
    this.#open -= 1;
  }

  /** Whether one of them is open. */
  get hasOpen(): boolean {
    return this.#open > 0;
  }

  /** All of them, in the order in which they were opened. */
  get all(): readonly Watch[] {
    return [...this.#watches.values()];
  }
}

/**
 * The watches that the next run of a task has from its first byte on: all that nobody has removed, and that have not told the one
 * match that they were to tell.
 */
export function watchesAgain(watches: readonly Watch[], at: number): WatchFact[] {
  const wanted = watches.filter(({ closed, endedWithTask }) => !closed || endedWithTask);
  return wanted.slice(-bounds.watches).map(({ fact }) => ({ ...fact, from: 0, at }));
}

function addTelling(tellings: Map<string, TellingFact>, fact: TellingFact): void {
  // One that is printed keeps its place.
  tellings.set(fact.id, fact);
  const [first] = tellings.keys();
  if (tellings.size > mostTellings && first !== undefined) tellings.delete(first);
}

/** The tellings of a line, in order. Of a file that began earlier they say nothing. */
export function tellingsOf(
  { tellings }: Watch,
  { lineOffset, beginsAt }: { readonly lineOffset: number; readonly beginsAt: number },
): TellingFact[] {
  return [...tellings.values()].filter(({ from, to, begins = 0 }) => {
    const at = lineOffset - beginsAt + begins;
    return begins >= beginsAt && from <= at && at <= to;
  });
}

function beginOf({ begins = 0 }: SeenFact): number {
  return begins;
}

/**
 * What begins in a line up to here is acknowledged; -1 when nothing of what is in the file is.
 * @param beginsAt the offset at which the file begins for who asks. Processes may differ in that, where output was made
 *   shorter; what counts is where in the file a match was. What was acknowledged in a file that began earlier is gone.
 */
export function seenOffset({ furthest }: Watch, beginsAt: number): number {
  let seen = -1;
  for (const [begins, offset] of furthest)
    if (begins >= beginsAt) seen = Math.max(seen, beginsAt + offset - begins);
  return seen;
}

/** Whether an acknowledgement was the first that covered a line, of those for whom the file began at the same offset. */
export function isFirstToSee(
  watch: Watch,
  { lineOffset, beginsAt }: { readonly lineOffset: number; readonly beginsAt: number },
  id: string,
): boolean {
  return watch.seen.find((fact) => beginOf(fact) === beginsAt && fact.offset >= lineOffset)?.id === id;
}

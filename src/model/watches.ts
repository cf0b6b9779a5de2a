import type { SeenFact, UnwatchFact, WatchFact } from './facts.ts';

/** A durable watch, as the facts of its task tell it. */
export interface Watch {
  readonly fact: WatchFact;
  /** Acknowledgements that went further than those before them, in order. */
  readonly seen: readonly SeenFact[];
  /** It is over. */
  readonly closed: boolean;
}

/** The watches of a task behind one more fact. */
export function withWatchFact(
  watches: readonly Watch[],
  fact: WatchFact | SeenFact | UnwatchFact,
): readonly Watch[] {
  if (fact.fact === 'watch') {
    const isOpen = watches.some((watch) => watch.fact.id === fact.id && !watch.closed);
    if (isOpen) return watches;
    return [...watches.filter((watch) => watch.fact.id !== fact.id), { fact, seen: [], closed: false }];
  }
  return watches.map((watch) => {
    if (watch.fact.id !== fact.watch || watch.closed) return watch;
    if (fact.fact === 'unwatch') return { ...watch, closed: true };
    return fact.offset > seenOffset(watch) ? { ...watch, seen: [...watch.seen, fact] } : watch;
  });
}

/** What begins in a line up to here is acknowledged; -1 when nothing is. */
export function seenOffset(watch: Watch): number {
  return watch.seen.at(-1)?.offset ?? -1;
}

/** Whether an acknowledgement was the first that covered the line that begins at an offset. */
export function isFirstToSee(watch: Watch, lineOffset: number, id: string): boolean {
  return watch.seen.find((seen) => seen.offset >= lineOffset)?.id === id;
}

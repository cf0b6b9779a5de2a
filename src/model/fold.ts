import type {
  ClaimFact,
  CutFact,
  DeliveredFact,
  ExitFact,
  Fact,
  OutcomeFact,
  PipeFact,
  ReapedFact,
  SpecFact,
  StartedFact,
  StopFact,
  StoppedFact,
} from './facts.ts';

/** The facts of one task, folded: which of each kind counts. Absent ones were never written, or not readable. */
export interface Facts {
  readonly spec?: SpecFact;
  readonly started?: StartedFact;
  /** The first request to stop that came before the exit marker. */
  readonly stop?: StopFact;
  /** The last request to stop that came after the outcome and is not answered by a `stopped`. */
  readonly openStop?: StopFact;
  readonly stopped?: StoppedFact;
  readonly exit?: ExitFact;
  readonly reaped?: ReapedFact;
  readonly pipe?: PipeFact;
  readonly outcome?: OutcomeFact;
  readonly delivered?: DeliveredFact;
  /** In order, without those that were given back. */
  readonly claims: readonly ClaimFact[];
  readonly cuts: readonly CutFact[];
  /** Facts that could be read; 0 for a log that is empty or garbage. */
  readonly count: number;
}

type Draft = { -readonly [K in keyof Facts]: Facts[K] } & {
  claims: ClaimFact[];
  cuts: CutFact[];
  count: number;
};

/**
 * Folds facts in the order of their file. For most kinds the first counts. Two rules protect a live task
 * from facts that are forged or stale: an outcome is void when the shim's first `started` or `exit` comes
 * after it (the shim was alive, so nothing had ended), and of several exit markers before the outcome the
 * last counts (the shim's own is its last act).
 */
export function foldFacts(facts: readonly Fact[]): Facts {
  const draft: Draft = { claims: [], cuts: [], count: facts.length };
  for (const fact of facts) take(draft, fact);
  return draft;
}

function take(draft: Draft, fact: Fact): void {
  switch (fact.fact) {
    case 'spec':
      draft.spec ??= fact;
      return;
    case 'started':
      if (draft.started === undefined) voidOutcome(draft);
      draft.started ??= fact;
      return;
    case 'identified':
      if (draft.started?.pid === fact.pid && draft.started.start === null)
        draft.started = { ...draft.started, start: fact.start };
      return;
    case 'stop':
      takeStop(draft, fact);
      return;
    case 'stopped':
      if (draft.openStop === undefined) return;
      draft.stopped = fact;
      delete draft.openStop;
      return;
    case 'exit':
      takeExit(draft, fact);
      return;
    case 'reaped':
      draft.reaped ??= fact;
      return;
    case 'pipe':
      if (draft.outcome === undefined) draft.pipe = fact;
      return;
    case 'outcome':
      draft.outcome ??= fact;
      return;
    case 'claim':
      draft.claims.push(fact);
      return;
    case 'unclaim':
      draft.claims = draft.claims.filter((claim) => claim.id !== fact.id);
      return;
    case 'delivered':
      // Without an outcome there is nothing to have delivered: a forged or misplaced fact.
      if (draft.outcome !== undefined) draft.delivered ??= fact;
      return;
    case 'cut':
      draft.cuts.push(fact);
      return;
    default:
      fact satisfies never;
  }
}

function takeStop(draft: Draft, fact: StopFact): void {
  if (draft.outcome !== undefined) draft.openStop = fact;
  else if (draft.exit === undefined) draft.stop ??= fact;
}

function takeExit(draft: Draft, fact: ExitFact): void {
  if (draft.exit === undefined) voidOutcome(draft);
  if (draft.outcome === undefined) draft.exit = fact;
}

function voidOutcome(draft: Draft): void {
  if (draft.outcome === undefined) return;
  delete draft.outcome;
  delete draft.delivered;
  delete draft.openStop;
  delete draft.stopped;
  draft.claims = [];
}

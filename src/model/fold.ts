import { sealOf } from '../util/crypto.ts';
import type {
  ClaimFact,
  CutFact,
  DeliveredFact,
  ExitFact,
  Fact,
  IdentifiedFact,
  OomFact,
  OutcomeFact,
  PipeFact,
  ReapedFact,
  SpecFact,
  StartedFact,
  StopFact,
  StoppedFact,
  TurnFact,
  WaitingFact,
} from './facts.ts';
import { type Watch, withWatchFact } from './watches.ts';

/** The start of a task, with what other facts say about it. */
export interface Started extends StartedFact {
  /** When a queued task was given its turn, epoch milliseconds. */
  readonly turnAt?: number;
}

/** The facts of one task, folded: which of each kind counts. Absent ones were never written, or not readable. */
export interface Facts {
  readonly spec?: SpecFact;
  readonly waiting?: WaitingFact;
  readonly turn?: TurnFact;
  readonly started?: Started;
  /** The first request to stop that came before the outcome. */
  readonly stop?: StopFact;
  /** The request came after the exit marker that counts: the command had ended by itself. */
  readonly stopIsLate: boolean;
  /** The last request to stop that came after the outcome and is not answered by a `stopped`. */
  readonly openStop?: StopFact;
  readonly stopped?: StoppedFact;
  readonly exit?: ExitFact;
  readonly reaped?: ReapedFact;
  readonly pipe?: PipeFact;
  readonly oom?: OomFact;
  readonly outcome?: OutcomeFact;
  readonly delivered?: DeliveredFact;
  /** In order, without those that were given back. */
  readonly claims: readonly ClaimFact[];
  readonly cuts: readonly CutFact[];
  /** Durable watches, those that are over included. */
  readonly watches: readonly Watch[];
  /** Facts that could be read; 0 for a log that is empty or garbage. */
  readonly count: number;
}

/** The facts of a log in which nothing can be read. */
export const noFacts: Facts = { stopIsLate: false, claims: [], cuts: [], watches: [], count: 0 };

/** Facts that nobody but the shim appends. */
const ofShim: ReadonlySet<Fact['fact']> = new Set(['waiting', 'started', 'exit']);

/** Those of them that it appends once. */
const onceOfShim: ReadonlySet<Fact['fact']> = new Set(['waiting', 'started']);

/** The shim, as far as the facts tell who it is. */
export function shimOf(facts: Facts): { readonly pid: number; readonly start: number | null } | undefined {
  return facts.started ?? facts.waiting;
}

type Draft = { -readonly [K in keyof Facts]: Facts[K] } & {
  identified?: IdentifiedFact;
  claims: ClaimFact[];
  cuts: CutFact[];
};

/**
 * Folds facts in the order of their file. For most kinds the first counts. Two rules protect a live task
 * from facts that are forged or stale: an outcome is void when a fact of the shim's comes after it (the shim
 * was alive, so nothing had ended), and of several exit markers before the outcome the
 * last counts (the shim's own is its last act). A third protects one that has ended: what cannot be the shim's is
 * left out beforehand, see {@link believed}.
 */
export function foldFacts(all: readonly Fact[]): Facts {
  const facts = believed(all);
  const draft: Draft = { ...noFacts, claims: [], cuts: [], count: all.length };
  const shimWasAliveUntil = facts.findLastIndex(({ fact }) => ofShim.has(fact));
  for (const [index, fact] of facts.entries()) {
    if (fact.fact !== 'outcome') take(draft, fact);
    else if (index > shimWasAliveUntil) draft.outcome ??= fact;
  }
  const { identified, ...folded } = draft;
  return folded;
}

/**
 * The facts without those that only claim to be the shim's: a second start, and, where the spec has a seal, an exit
 * marker that does not prove itself or comes behind the one that does. Whoever repeats the proof has read it there, and
 * the shim has nothing to say behind it. Without a seal (Windows, earlier versions) a marker is left out when it is the
 * second copy of one: somebody else had copied it before, and settled the task.
 */
function believed(facts: readonly Fact[]): readonly Fact[] {
  const seal = sealIn(facts);
  const seen = new Set<Fact['fact'] | number>();
  const isProven = ({ proof }: ExitFact): boolean => proof !== undefined && sealOf(proof) === seal;
  return facts.filter((fact) => {
    if (onceOfShim.has(fact.fact))
      return isFirst(seen, fact.fact) && !(seal !== undefined && seen.has('exit'));
    if (fact.fact !== 'exit') return true;
    if (seal !== undefined) return isProven(fact) && isFirst(seen, 'exit');
    return fact.copied === undefined || isFirst(seen, fact.copied);
  });
}

/** A spec behind a fact of the shim's seals nothing: a log is published with its spec, so somebody appended that one. */
function sealIn(facts: readonly Fact[]): string | undefined {
  const first = facts.find(({ fact }) => fact === 'spec' || ofShim.has(fact));
  return first?.fact === 'spec' ? first.seal : undefined;
}

function isFirst<T>(seen: Set<T>, one: T): boolean {
  return !seen.has(one) && seen.add(one).has(one);
}

function take(draft: Draft, fact: Exclude<Fact, OutcomeFact>): void {
  switch (fact.fact) {
    case 'spec':
      draft.spec ??= fact;
      return;
    case 'started':
      draft.started ??= draft.turn === undefined ? fact : { ...fact, turnAt: draft.turn.at };
      identify(draft);
      return;
    case 'waiting':
      draft.waiting ??= fact;
      identify(draft);
      return;
    case 'turn':
      draft.turn ??= fact;
      return;
    case 'identified':
      draft.identified ??= fact;
      identify(draft);
      return;
    case 'stop':
      takeStop(draft, fact);
      return;
    case 'stopped':
      if (draft.openStop?.id !== fact.id) return;
      draft.stopped = fact;
      delete draft.openStop;
      return;
    case 'exit':
      if (draft.outcome !== undefined) return;
      draft.exit = fact;
      draft.stopIsLate = false;
      return;
    case 'reaped':
      draft.reaped ??= fact;
      return;
    case 'pipe':
      if (draft.outcome === undefined) draft.pipe = fact;
      return;
    case 'oom':
      draft.oom ??= fact;
      return;
    // Before there is an outcome nobody can have claimed or used the completion.
    case 'claim':
      if (draft.outcome !== undefined) draft.claims.push(fact);
      return;
    case 'unclaim':
      draft.claims = draft.claims.filter((claim) => claim.id !== fact.id);
      return;
    case 'delivered':
      if (draft.outcome !== undefined) draft.delivered ??= fact;
      return;
    case 'cut':
      draft.cuts.push(fact);
      return;
    case 'watch':
    case 'seen':
    case 'unwatch':
      draft.watches = withWatchFact(draft.watches, fact);
      return;
    default:
      fact satisfies never;
  }
}

/** The spawner may find out the start time before the shim has said that it runs. */
function identify(draft: Draft): void {
  const { waiting, started, identified } = draft;
  if (waiting?.start === null && identified?.pid === waiting.pid) {
    draft.waiting = { ...waiting, start: identified.start };
  }
  if (started?.start === null && identified?.pid === started.pid) {
    draft.started = { ...started, start: identified.start };
  }
}

function takeStop(draft: Draft, fact: StopFact): void {
  if (draft.outcome !== undefined) draft.openStop = fact;
  else if (draft.stop === undefined) {
    draft.stop = fact;
    draft.stopIsLate = draft.exit !== undefined;
  }
}

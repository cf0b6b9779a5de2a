import { nowAttached } from './attached.ts';
import { believed, sealIn } from './believed.ts';
import { ClaimList } from './claims.ts';
import type { ClaimFact, DeliveredFact, ToldFact } from './completion-facts.ts';
import { isDone } from './done.ts';
import { ofShim, opens, own } from './fact-kinds.ts';
import type {
  ExitFact,
  Fact,
  GoneFact,
  LeftFact,
  OomFact,
  OutcomeFact,
  SpecFact,
  StartedFact,
  StopFact,
  StoppedFact,
  TurnFact,
  WaitingFact,
} from './facts.ts';
import type { HookedFact, HookFact } from './hook-facts.ts';
import type { CutFact, ErasedFact } from './output-facts.ts';
import { type Watch, WatchList } from './watches.ts';

/** The facts of one task, folded: which of each kind counts. Absent ones were never written, or not readable. */
export interface Facts {
  readonly spec?: SpecFact;
  readonly waiting?: WaitingFact;
  readonly turn?: TurnFact;
  readonly started?: StartedFact;
  /** The first request to stop that came before the outcome. */
  readonly stop?: StopFact;
  /** The request came after the exit that counts: the command had ended by itself. */
  readonly stopIsLate: boolean;
  /** A request or an outcome is on disk before any start: the shim reads that, and runs nothing. */
  readonly isForbidden: boolean;
  /** The ids of the requests that the shim has read. */
  readonly answered: readonly string[];
  /** The last request to stop that came after the outcome and is not answered by a `stopped`. */
  readonly openStop?: StopFact;
  readonly stopped?: StoppedFact;
  /** The pids of the processes by which people may type into its terminal. */
  readonly attached: readonly number[];
  readonly exit?: ExitFact;
  readonly left?: LeftFact;
  readonly gone?: GoneFact;
  /** What is known to be erased of each stream: the last fact of each. */
  readonly erased: readonly ErasedFact[];
  readonly oom?: OomFact;
  readonly hook?: HookFact;
  readonly hooked?: HookedFact;
  readonly outcome?: OutcomeFact;
  readonly delivered?: DeliveredFact;
  /** In order, without those that were given back. */
  readonly claims: readonly ClaimFact[];
  /** The ids of all claims in their order: also of those that were given back, which may have been made again. */
  readonly claimed: readonly string[];
  /** What was printed, of claims that were not given back. */
  readonly told: readonly ToldFact[];
  readonly cuts: readonly CutFact[];
  /** Durable watches, those that are over included. */
  readonly watches: readonly Watch[];
  /** The last fact is of the task's spawner or shim: the time of the log is a trace of the task. */
  readonly endsWithOwn: boolean;
  /** Nothing more happens to the task: see {@link isDone}. */
  readonly isDone: boolean;
  /** Facts that could be read; 0 for a log that is empty or garbage. */
  readonly count: number;
}

/** The facts of a log in which nothing can be read. */
export const noFacts: Facts = {
  stopIsLate: false,
  isForbidden: false,
  answered: [],
  attached: [],
  erased: [],
  claims: [],
  claimed: [],
  told: [],
  cuts: [],
  watches: [],
  endsWithOwn: false,
  isDone: false,
  count: 0,
};

/** The shim, as far as the facts tell who it is. */
export function shimOf({
  started,
  waiting,
}: Facts): { readonly pid: number; readonly start: number | null } | undefined {
  return started === undefined ? waiting : { pid: started.shimPid, start: started.shimStart };
}

type Draft = { -readonly [K in keyof Facts]: Facts[K] } & { answered: string[]; cuts: CutFact[] };

/** What is folded by itself; most tasks have nothing of it. */
interface Lists {
  claims: ClaimList | null;
  watches: WatchList | null;
}

/**
 * Folds facts in the order of their file. For most kinds the first counts. Two rules protect a live task
 * from facts that are forged or stale: an outcome is void when the shim shows after it that the task had not ended, and
 * what cannot be the shim's is left out beforehand, see {@link believed}.
 */
export function foldFacts(all: readonly Fact[]): Facts {
  const facts = believed(all);
  const isSealed = sealIn(facts) !== undefined;
  // No `{ ...noFacts }`, and no copy at the end: V8 gives each copy that gets more keys than it had a hidden class of its own,
  // which takes ten times as long and is garbage of the slow kind.
  const draft: Draft = {
    stopIsLate: false,
    isForbidden: false,
    answered: [],
    attached: [],
    erased: [],
    claims: [],
    claimed: [],
    told: [],
    cuts: [],
    watches: [],
    endsWithOwn: own.has(all.at(-1)?.fact),
    isDone: false,
    count: all.length,
  };
  const lists: Lists = { claims: null, watches: null };
  const hadNotEnded = aliveUntil(facts, isSealed);
  for (const [index, fact] of facts.entries()) {
    if (draft.isDone && opens.has(fact.fact)) continue;
    if (fact.fact !== 'outcome') take(draft, lists, fact, isSealed);
    else if (index > hadNotEnded && !(isSealed && missesStart(fact, draft))) {
      if (isSealed && draft.started === undefined) draft.isForbidden = true;
      draft.outcome ??= fact;
    }
    draft.isDone ||= isSealed && isDone(draft, lists.watches?.hasOpen === true);
  }
  // It ran, so the shim has read of no request before the start, whatever seems to be one.
  if (draft.exit?.ran === true) draft.isForbidden = false;
  const { claims, watches } = lists;
  if (claims !== null) {
    draft.claims = claims.held;
    draft.claimed = claims.made;
    draft.told = claims.told;
  }
  if (watches !== null) draft.watches = watches.all;
  return draft;
}

/**
 * Whether the author of an outcome had given up a start, and its shim was faster. A process that reads that outcome
 * back sees that it came second, so nobody was told of it. The command runs, or its shim found the outcome and does not
 * run it: the shim, or its death, says which. Where a request came before the start, nothing runs, and an outcome is
 * told before it is written: that one stands.
 */
function missesStart({ startedAt }: OutcomeFact, { started, exit, isForbidden }: Draft): boolean {
  if (started === undefined || startedAt !== null) return false;
  return !isForbidden || exit?.ran === true;
}

/**
 * The index of the fact that shows last that the task had not ended: an outcome before it came too early. Of a native
 * shim that is its proof of the end, and nothing takes back an outcome after that: a command that SIGKILL could not end
 * may exit later. One that finds an outcome before its start runs nothing, so what it says of that voids nothing.
 */
function aliveUntil(facts: readonly Fact[], isSealed: boolean): number {
  if (!isSealed) return facts.findLastIndex(({ fact }) => ofShim.has(fact));
  const exit = facts.findIndex((fact) => fact.fact === 'exit' && fact.ran);
  const end = facts.findIndex((fact) => {
    if (fact.fact === 'exit') return fact.ran && !fact.pending;
    return (fact.fact === 'left' || fact.fact === 'gone') && fact.proof !== undefined;
  });
  return end === -1 ? exit : end;
}

function take(draft: Draft, lists: Lists, fact: Exclude<Fact, OutcomeFact>, isSealed: boolean): void {
  switch (fact.fact) {
    case 'spec':
      draft.spec ??= isSealed ? fact : unsealed(fact);
      return;
    case 'started':
      draft.started ??= fact;
      return;
    case 'waiting':
      draft.waiting ??= fact;
      return;
    case 'turn':
      draft.turn ??= fact;
      return;
    case 'stop':
      if (isSealed && draft.started === undefined && draft.outcome === undefined) draft.isForbidden = true;
      takeStop(draft, fact);
      return;
    case 'stopping':
      draft.answered.push(fact.id);
      return;
    case 'stopped':
      // A second one of the same stop is of somebody who may end more than the shim.
      if (draft.openStop?.id !== fact.id && draft.stopped?.id !== fact.id) return;
      draft.stopped = fact;
      if (draft.openStop?.id === fact.id) delete draft.openStop;
      return;
    case 'attached':
    case 'detached':
      draft.attached = nowAttached(draft.attached, fact);
      return;
    case 'exit':
      if (draft.outcome !== undefined) return;
      draft.exit = fact;
      draft.stopIsLate = false;
      return;
    case 'left':
      // One with a proof is the end of a task that was pending.
      if (draft.left?.proof === undefined) draft.left = fact;
      return;
    case 'gone':
      draft.gone ??= fact;
      if (draft.openStop === undefined) return;
      draft.stopped = { fact: 'stopped', id: draft.openStop.id, survivors: [] };
      delete draft.openStop;
      return;
    case 'erased':
      draft.erased = [...draft.erased.filter(({ stream }) => stream !== fact.stream), fact];
      return;
    case 'oom':
      draft.oom ??= fact;
      return;
    case 'hook':
      draft.hook ??= fact;
      return;
    case 'hooked':
      draft.hooked ??= fact;
      return;
    // Before there is an outcome nobody can have claimed or used the completion.
    case 'claim':
    case 'unclaim':
    case 'told':
      if (draft.outcome === undefined) return;
      lists.claims ??= new ClaimList();
      lists.claims.add(fact);
      return;
    case 'delivered':
      if (draft.outcome !== undefined) draft.delivered ??= fact;
      return;
    case 'cut':
      draft.cuts.push(fact);
      return;
    case 'watch':
    case 'seen':
    case 'telling':
    case 'untelling':
    case 'unwatch':
      lists.watches ??= new WatchList();
      lists.watches.add(fact);
      return;
    default:
      fact satisfies never;
  }
}

/** Nobody is to take a seal that seals nothing for one by which the shim proves itself. */
function unsealed({ seal, ...spec }: SpecFact): SpecFact {
  return spec;
}

function takeStop(draft: Draft, fact: StopFact): void {
  if (draft.outcome !== undefined) draft.openStop = fact;
  else if (draft.stop === undefined) {
    draft.stop = fact;
    draft.stopIsLate = draft.exit !== undefined;
  }
}

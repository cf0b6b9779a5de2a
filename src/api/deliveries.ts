import { acknowledge } from '../engine/completions/acknowledge.ts';
import { type Claim, type Claimer, claim, told, unclaim, wasPrinted } from '../engine/completions/claim.ts';
import type { SessionContext } from '../engine/session/context.ts';
import { readFacts } from '../engine/session/read-record.ts';
import { type EndedTask, endedSince } from '../engine/store/ended-lately.ts';
import { sessionContexts } from '../engine/store/store-sessions.ts';
import { isMatchPending, type MatchPlace } from '../engine/watches/pattern-watches.ts';
import {
  type Standing,
  standingOf,
  type Teller,
  tellMatches,
  untellMatches,
} from '../engine/watches/tell-matches.ts';
import type { SpecFact } from '../model/facts.ts';
import { overSince } from '../model/snapshot.ts';
import type { ProcessIdentity } from '../model/words.ts';
import { isAlive, originOf } from '../platform/identity.ts';
import { contextOf, type Session } from './session.ts';

/** What those need who tell others of ends: the MCP server and the command line. It is no part of the public surface. */
export class Deliveries {
  readonly #context: SessionContext;

  constructor(session: Session) {
    this.#context = contextOf(session);
  }

  /** The spec of a task; null if no spec can be read. */
  specOf(taskId: string): SpecFact | null {
    return readFacts(this.#context, taskId)?.spec ?? null;
  }

  /** The ids of the tasks that run, as far as is known here. */
  get live(): readonly string[] {
    return [...this.#context.live.keys()];
  }

  /** This process, or another one of the same boot and pid namespace; null when there is none with that pid. */
  processHere(pid: number): ProcessIdentity | null {
    const { system } = this.#context.store;
    const self = system.self();
    if (pid === self.pid) return self;
    const seen = system.view(pid);
    return seen === null || seen.zombie ? null : { ...self, pid, start: seen.start };
  }

  /** Whether this process descends from that one. */
  isAncestor(identity: ProcessIdentity): boolean {
    const { system } = this.#context.store;
    if (originOf(identity, system) !== 'here') return false;
    const seen = new Set<number>();
    for (let pid = process.pid; pid > 0 && !seen.has(pid); ) {
      seen.add(pid);
      const view = system.view(pid);
      if (view === null) return false;
      if (view.pid === identity.pid && view.start === identity.start) return true;
      pid = view.parent;
    }
    return false;
  }

  /** Whether a process may live. Where it cannot be seen it may, unless the store says that it is of no other machine. */
  mayLive(identity: ProcessIdentity): boolean {
    const { system, elsewhere } = this.#context.store;
    const alive = isAlive(identity, system);
    return alive === 'yes' || (alive === 'unknown' && elsewhere === 'unknown');
  }

  /**
   * What has ended since then in this session, and in the others of the store as far as it is meant; the newest end first.
   * @param sinceMs epoch milliseconds.
   */
  async endedSince(
    sinceMs: number,
    isMeant: (sessionId: string, spec: SpecFact | undefined) => boolean,
  ): Promise<EndedTask[]> {
    const found: EndedTask[] = [];
    for (const context of sessionContexts(this.#context.store)) {
      const isMeantHere = (spec: SpecFact | undefined): boolean => isMeant(context.sessionId, spec);
      for await (const ended of endedSince(context, sinceMs, isMeantHere)) found.push(ended);
    }
    return found.sort((a, b) => overSince(b.snapshot) - overSince(a.snapshot));
  }

  /** Claims a completion: see `engine/completions/claim.ts`. */
  claim(taskId: string, claimer: Claimer): Claim {
    return claim(this.#context, taskId, claimer);
  }

  /** Gives a claim back. */
  unclaim(taskId: string, claimId: string): void {
    unclaim(this.#context, taskId, claimId);
  }

  /** Says that a completion is printed. */
  told(taskId: string, claimId: string): void {
    told(this.#context, taskId, claimId);
  }

  /** Whether a completion was printed for a conversation, and not acknowledged since. */
  wasPrinted(taskId: string, party: string): boolean {
    return wasPrinted(this.#context, taskId, party);
  }

  /** Whether a line that a durable watch has found is still to be acknowledged. */
  isMatchPending(match: MatchPlace): boolean {
    return isMatchPending(this.#context, match);
  }

  /** Whether a line may be told: see `engine/watches/tell-matches.ts`. */
  standingOf(match: MatchPlace, teller: Teller): Standing {
    return standingOf(this.#context, match, teller);
  }

  /**
   * Claims lines for one teller, in their order. When several live tellers claim a line, the first claim in the log has
   * it. A claim reaches from the first to the last line of a watch, so it ends before a line of another teller.
   * @returns those that are his.
   */
  tellMatches<Match extends MatchPlace>(matches: readonly Match[], teller: Teller): Match[] {
    const isFree = (match: Match): boolean => ['free', 'again'].includes(this.standingOf(match, teller));
    const ours = new Set<Match>();
    for (const all of ofEachWatch(matches)) {
      const from = all.slice(Math.max(0, all.findIndex(isFree)));
      const end = from.findIndex((match) => !isFree(match));
      const [first, ...rest] = end === -1 ? from : from.slice(0, end);
      if (first === undefined) continue;
      const run = [first, ...rest];
      tellMatches(this.#context, [first, run.at(-1) ?? first], teller);
      if (run.every(isFree)) for (const match of run) ours.add(match);
      else untellMatches(this.#context, first, teller.id);
    }
    return matches.filter((match) => ours.has(match));
  }

  /** Says that lines which were claimed are printed. */
  toldMatches(matches: readonly MatchPlace[], teller: Teller): void {
    for (const all of ofEachWatch(matches))
      tellMatches(this.#context, [all[0], all.at(-1) ?? all[0]], teller, Date.now());
  }

  /** Gives lines back that were claimed. */
  untellMatches(matches: readonly MatchPlace[], tellerId: string): void {
    for (const [first] of ofEachWatch(matches)) untellMatches(this.#context, first, tellerId);
  }

  /** Acknowledges a completion. @returns whether this was the first. */
  acknowledge(taskId: string): boolean {
    return acknowledge(this.#context, taskId);
  }
}

function ofEachWatch<Match extends MatchPlace>(matches: readonly Match[]): [Match, ...Match[]][] {
  const all = new Map<string, [Match, ...Match[]]>();
  for (const match of matches) {
    const key = `${match.taskId} ${match.watchId} ${match.beginsAt}`;
    const known = all.get(key);
    if (known === undefined) all.set(key, [match]);
    else known.push(match);
  }
  return [...all.values()];
}

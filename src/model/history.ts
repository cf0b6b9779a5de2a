import type { ExitFact, Fact, LeftFact } from './facts.ts';
import type { PatternSource } from './pattern.ts';
import type { Leftover, ProcessIdentity } from './words.ts';

/** One event in the life of a task, as its log tells it. */
export interface HistoryEntry {
  /** The kind of fact: see docs/durability.md. */
  readonly fact: string;
  /** Epoch milliseconds, where the fact has a time; facts without one lie between their neighbours. */
  readonly at: number | null;
  /** What happened, in a sentence without its full stop. */
  readonly text: string;
}

/** The life of a task from its facts, in the order of the log. Facts that count for nothing are told as well. */
export function historyOf(facts: readonly Fact[]): HistoryEntry[] {
  return facts.map((fact) => ({ fact: fact.fact, at: timeOf(fact), text: tell(fact) }));
}

function timeOf(fact: Fact): number | null {
  switch (fact.fact) {
    case 'spec':
      return fact.createdAt;
    case 'started':
    case 'exit':
    case 'stop':
    case 'turn':
    case 'watch':
    case 'seen':
    case 'delivered':
      return fact.at;
    default:
      return null;
  }
}

function tell(fact: Fact): string {
  switch (fact.fact) {
    case 'spec':
      return `asked for by ${who(fact.by)}`;
    case 'waiting':
      return `the shim ${fact.pid} waits for its turn`;
    case 'turn':
      return `its turn has come, given by ${who(fact.by)}`;
    case 'started':
      return `the shim ${fact.shimPid} runs the command as process ${fact.pid}`;
    case 'stop':
      return `its end was asked for: ${fact.cause}, by ${fact.by === null ? 'the shim' : who(fact.by)}${how(fact)}`;
    case 'stopping':
      return 'the shim has read the request to stop';
    case 'stopped':
      return `the stop is done; ${survivors(fact.survivors)}`;
    case 'exit':
      return ended(fact);
    case 'left':
      return left(fact);
    case 'gone':
      return 'the last process of the task has ended';
    case 'oom':
      return `its cgroup was out of memory, and the kernel killed ${fact.kills} of its processes`;
    case 'pipe':
      return `the last pipeline ended with ${fact.statuses.join(' ')}`;
    case 'outcome':
      return `the outcome was decided: ${fact.status}${fact.reason === null ? '' : ` (${fact.reason})`}`;
    case 'claim':
      return `the completion was claimed by ${who(fact.by)}`;
    case 'unclaim':
      return 'the claim was given back';
    case 'delivered':
      return 'the completion was acknowledged';
    case 'cut':
      return `the middle of its ${fact.stream} was cut out: bytes ${fact.head} to ${fact.tail} of ${fact.bytes}`;
    case 'watch':
      return `the matches of ${shownPattern(fact.pattern)} in its ${fact.stream} are owed, from byte ${fact.from} on`;
    case 'seen':
      return `the matches of watch ${fact.watch} up to byte ${fact.offset} were acknowledged`;
    case 'unwatch':
      return `watch ${fact.watch} is over`;
    default:
      return fact satisfies never;
  }
}

function ended({ ran, code, killSignal, core, left }: ExitFact): string {
  if (!ran) return 'the command was not run';
  const how = killSignal === null ? `with ${code}` : `by ${killSignal}${core ? ', with a core dump' : ''}`;
  return `the command ended ${how}${left === null || left === 0 ? '' : `; processes that it left: ${left}`}`;
}

function left({ processes }: LeftFact): string {
  if (processes === null) return 'the shim could not tell what is left';
  return survivors(processes);
}

function who(by: ProcessIdentity): string {
  return `process ${by.pid} on ${by.host}`;
}

function shownPattern(pattern: PatternSource): string {
  return 'text' in pattern ? JSON.stringify(pattern.text) : `/${pattern.regexp}/${pattern.flags}`;
}

function how(stop: { killSignal: string | null; graceMs: number | null }): string {
  const grace = stop.graceMs === null ? '' : `, ${stop.graceMs} ms of grace`;
  return stop.killSignal === null ? grace : ` (${stop.killSignal}${grace})`;
}

function survivors(list: readonly Leftover[]): string {
  return list.length === 0 ? 'nothing is left' : `still alive: ${list.map(({ pid }) => pid).join(', ')}`;
}

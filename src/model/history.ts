import { errorName } from '../util/errno.ts';
import type { ExitFact, Fact, LeftFact } from './facts.ts';
import type { HookedFact } from './hook-facts.ts';
import type { ErasedFact } from './output-facts.ts';
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
    case 'hook':
    case 'hooked':
    case 'attached':
    case 'detached':
    case 'stop':
    case 'turn':
    case 'watch':
    case 'seen':
    case 'told':
    case 'delivered':
    case 'erased':
      return fact.at;
    case 'telling':
      return fact.at ?? null;
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
    case 'attached':
      return `process ${fact.pid} shows the terminal to a viewer`;
    case 'detached':
      return `process ${fact.pid} shows its terminal no more`;
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
    case 'erased':
      return erased(fact);
    case 'oom':
      return `its cgroup was out of memory, and the kernel killed ${fact.kills} of its processes`;
    case 'hook':
      return `the hook is about to run, kept by process ${fact.pid}`;
    case 'hooked':
      return hooked(fact);
    case 'outcome':
      return `the outcome was decided: ${fact.status}${fact.reason === null ? '' : ` (${fact.reason})`}`;
    case 'claim':
      return `the completion was claimed by ${who(fact.by)}`;
    case 'unclaim':
      return 'the claim was given back';
    case 'told':
      return 'the completion was printed';
    case 'delivered':
      return 'the completion was acknowledged';
    case 'cut':
      return `the middle of its ${fact.stream} was cut out: bytes ${fact.head} to ${fact.tail} of ${fact.bytes}`;
    case 'watch':
      return `the matches of ${shownPattern(fact.pattern)} in its ${fact.stream} are pending, from byte ${fact.from} on`;
    case 'seen':
      return `the matches of watch ${fact.watch} up to byte ${fact.offset} were acknowledged`;
    case 'telling':
      return `matches of watch ${fact.watch} up to the line at byte ${fact.to} ${fact.at === undefined ? `are told by ${who(fact.by)}` : 'were printed'}`;
    case 'untelling':
      return `matches of watch ${fact.watch} were not told after all`;
    case 'unwatch':
      return `watch ${fact.watch} is over${fact.ended ? ', since its task has ended' : ''}`;
    default:
      return fact satisfies never;
  }
}

function ended({ ran, code, exitSignal, core, left, pipeStatus }: ExitFact): string {
  if (!ran) return 'the command was not run';
  const how = exitSignal === null ? `with ${code}` : `by ${exitSignal}${core ? ', with a core dump' : ''}`;
  const segments = pipeStatus === undefined ? '' : `, its pipeline with ${pipeStatus.join(' ')}`;
  return `the command ended ${how}${segments}${left === null || left === 0 ? '' : `; processes that it left: ${left}`}`;
}

function erased({ stream, bytes }: ErasedFact): string {
  if (bytes === 0) return `its ${stream} was opened anew: what was in it before may be erased`;
  return `${bytes} bytes of its ${stream} are erased: it was opened anew, or made shorter`;
}

function hooked({ code, exitSignal, cause, errno }: HookedFact): string {
  if (errno !== null) return `the hook was not run: ${errorName(errno)}`;
  if (cause !== null) return `the hook was stopped: ${cause}`;
  return `the hook ended ${exitSignal === null ? `with ${code}` : `by ${exitSignal}`}`;
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

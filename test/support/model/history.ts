import type { LeftoversPolicy, OnLimit } from '../../../src/index.ts';

/** What the command of a modelled task does. It ends with the code that the test hands it, or at once by itself. */
type Kind = 'plain' | 'stubborn' | 'leaves' | 'quick';

/** What was asked of one task, and what was answered: all that the model knows. */
export interface Expected {
  readonly tag: string;
  readonly session: string;
  readonly kind: Kind;
  readonly leftovers: LeftoversPolicy;
  readonly timeoutMs: number | null;
  readonly onLimit: OnLimit;
  /** The spawn was answered; else its process died meanwhile, and the task may be there or not. */
  taskId: string | null;
  /** The spawn was refused: the task must not be there. */
  refused: boolean;
  /** The code that its command was told to end with. */
  code: number | null;
  /** Somebody asked for its end at some time. */
  stopAsked: boolean;
  /** Somebody was answered that it is stopped. */
  stopAnswered: boolean;
  /** Its shim was ended by SIGKILL: nobody records the end of its command, and nobody holds its limits. */
  shimKilled: boolean;
  /** It was seen to run at a quiet moment. */
  seenRunning: boolean;
  /** For somebody an hour had passed before that: he may have given up its start. */
  mayBeGivenUp: boolean;
  /** Prunes that were not answered. */
  openPrunes: number;
  /** The ids that others have named. */
  readonly pruned: Set<string>;
  /** Somebody may have acknowledged it without having said so. */
  mayBeAcked: boolean;
  /** How it ended, as it was seen first. */
  verdict: string | null;
}

/** The plain model: what was asked so far. */
export interface History {
  readonly tasks: Expected[];
}

/** Tasks of a session that run at most, in every agent. */
export const maxRunning = 5;

/** A task that was just asked for. */
export function asked(
  spec: Pick<Expected, 'tag' | 'session' | 'kind' | 'leftovers' | 'timeoutMs' | 'onLimit'>,
): Expected {
  return {
    ...spec,
    taskId: null,
    refused: false,
    code: spec.kind === 'quick' ? 3 : null,
    stopAsked: false,
    stopAnswered: false,
    shimKilled: false,
    seenRunning: false,
    mayBeGivenUp: false,
    openPrunes: 0,
    pruned: new Set(),
    mayBeAcked: false,
    verdict: null,
  };
}

/** How a task may have ended, as patterns of its status, exit code and reason. */
export function verdictsOf(task: Expected): RegExp[] {
  const verdicts: RegExp[] = [];
  if (task.code !== null)
    verdicts.push(task.code === 0 ? /^completed 0 null$/ : RegExp(`^failed ${task.code} null$`));
  if (task.stopAsked) verdicts.push(/^killed (null|\d+) (kill|shutdown)$/);
  // On a busy machine the time may be up before the command has begun.
  if (task.timeoutMs !== null) verdicts.push(/^timed_out (124|null) timeout$/);
  if (task.shimKilled) verdicts.push(/^lost null no_exit_marker$/);
  if (task.taskId === null || task.shimKilled || task.mayBeGivenUp)
    verdicts.push(/^failed null spawn_aborted$/);
  return verdicts;
}

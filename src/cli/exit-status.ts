import { constants } from 'node:os';
import { type ErrorCode, OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';

/**
 * Exit statuses of our own. The others are the command's. 64 is EX_USAGE of sysexits(3), 124 and 125 are what
 * timeout(1) uses; the rest lies between what programs use and what shells do (126 and above).
 */
export const exitStatus = {
  ok: 0,
  /** A wait for something in a task's life, and the task ended first, with 0. */
  notSeen: 1,
  usage: 64,
  /** The key of another machine is unknown, or is not the one that ssh knows. */
  hostKey: 117,
  /** Another machine is out of reach, or the connection to it broke: the state there is not known. */
  outOfReach: 118,
  /** What is started here would end with this shell call. */
  wouldDie: 119,
  noSuchTask: 120,
  lost: 121,
  stillRunning: 122,
  stopped: 123,
  timedOut: 124,
  failed: 125,
  /** What a shell shows for SIGPIPE: nothing reads our output. */
  brokenPipe: 141,
} as const;

/** The exit status that stands for a task: the command's own where there is one. */
export function statusOfTask(snapshot: Pick<TaskSnapshot, 'status' | 'exitCode' | 'exitSignal'>): number {
  switch (snapshot.status) {
    case 'completed':
    case 'failed':
      return snapshot.exitCode ?? statusOfSignal(snapshot.exitSignal);
    case 'killed':
      return exitStatus.stopped;
    case 'timed_out':
      return exitStatus.timedOut;
    case 'lost':
      return exitStatus.lost;
    default:
      return exitStatus.stillRunning;
  }
}

/** A shim that was killed, or a command that never ran. */
function statusOfSignal(exitSignal: string | null): number {
  const number = exitSignal === null ? undefined : constants.signals[exitSignal as NodeJS.Signals];
  return number === undefined ? exitStatus.failed : 128 + number;
}

const usageErrors: readonly ErrorCode[] = [
  'USAGE',
  'INVALID_ARGUMENT',
  'INVALID_COMMAND',
  'INVALID_CWD',
  'INVALID_ENV',
  'TASK_AMBIGUOUS',
  'NAME_TAKEN',
];

/** The exit status that stands for an error. */
export function statusOfError(error: unknown): number {
  if (!(error instanceof OutliveError)) return exitStatus.failed;
  if (error.code === 'TASK_NOT_FOUND') return exitStatus.noSuchTask;
  if (error.code === 'WOULD_DIE') return exitStatus.wouldDie;
  if (error.code === 'HOST_KEY') return exitStatus.hostKey;
  if (error.code === 'HOST_UNREACHABLE' || error.code === 'CONNECTION_LOST') return exitStatus.outOfReach;
  return usageErrors.includes(error.code) ? exitStatus.usage : exitStatus.failed;
}

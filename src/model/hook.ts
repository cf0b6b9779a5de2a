import { errorName } from '../util/errno.ts';
import type { Facts } from './fold.ts';
import type { Liveness } from './words.ts';

/**
 * How far the hook of a task is. `waiting`: the task has not ended, or the hook is about to run. `not_run`: it never ran and
 * never will. `unknown`: it was about to run or ran, and nobody has seen its end.
 */
type OnExitState = 'waiting' | 'running' | 'ended' | 'not_run' | 'unknown';

/** The hook of a task: the command that its shim runs once when it has ended, and what has become of that. */
export interface OnExit {
  readonly command: string;
  readonly state: OnExitState;
  readonly exitCode: number | null;
  /** The signal that ended it. */
  readonly exitSignal: string | null;
  /** `timeout` or `output_limit`: it was stopped for that; the system's error, such as `EAGAIN`: it was not run for that. */
  readonly reason: string | null;
}

/** What lives of those who run a hook, as far as can be told from here. */
export interface HookRunners {
  readonly shim: Liveness;
  /** What the shim has forked for the hook; it says in the record that the hook is about to run. */
  readonly runner: Liveness;
}

/**
 * The hook of a task; null when it has none.
 * @param isLive whether the task has not ended.
 */
export function onExitOf({ spec, hook, hooked }: Facts, isLive: boolean, alive: HookRunners): OnExit | null {
  if (spec?.onExit === undefined) return null;
  const none = { command: spec.onExit, exitCode: null, exitSignal: null, reason: null };
  if (hooked !== undefined) {
    const { code, exitSignal, cause, errno } = hooked;
    const state = errno === null ? 'ended' : 'not_run';
    return { ...none, state, exitCode: code, exitSignal, reason: cause ?? errorName(errno ?? 0) };
  }
  if (hook !== undefined) return { ...none, state: alive.runner === 'yes' ? 'running' : 'unknown' };
  if (isLive || alive.shim === 'yes') return { ...none, state: 'waiting' };
  return { ...none, state: alive.shim === 'no' ? 'not_run' : 'unknown' };
}

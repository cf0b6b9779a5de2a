/** Why a hook was stopped. */
export type HookCause = 'timeout' | 'output_limit';

/** Every cause, as a list. */
export const hookCauses: readonly HookCause[] = ['timeout', 'output_limit'];

/** The hook of the task is about to run: appended by the hook runner. */
export interface HookFact {
  readonly fact: 'hook';
  /** The hook runner, a child of the shim, and its kernel start time. */
  readonly pid: number;
  readonly start: number | null;
  readonly at: number | null;
  readonly monoMs: number | null;
}

/** How the hook ended: appended by the hook runner. */
export interface HookedFact {
  readonly fact: 'hooked';
  /** `null`: something else ended it, or it was not run. */
  readonly code: number | null;
  readonly exitSignal: string | null;
  /** What ended it, when it did not end by itself. */
  readonly cause: HookCause | null;
  /** The system's error that kept it from being run. */
  readonly errno: number | null;
  readonly at: number | null;
  readonly monoMs: number | null;
}

import { passing } from '../../engine/session/background.ts';
import { isExpected } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';

/**
 * Errors that are expected while something listens for the end of a task (it is removed, its session is closed), or
 * already reported.
 */
const over: ReadonlySet<unknown> = new Set(['CLOSED', 'TASK_NOT_FOUND', 'INTERNAL']);

/**
 * Reports a failure of background work, unless the session was closed or the failure passes by itself. A mistake that
 * ended a wait (`INTERNAL`) was reported where it happened.
 */
export function report(doing: string, error: unknown, sessionId: string | null = null): void {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (name === 'AbortError' || over.has(code) || isExpected(error, passing)) return;
  warn({ doing, error, sessionId });
}

/** Lets work go on in the background, and reports its failure. */
export function goOn(doing: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => report(doing, error));
}

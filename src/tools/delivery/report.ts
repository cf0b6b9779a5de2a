import { passing } from '../../engine/session/background.ts';
import { isExpected } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';

/** What happens to a task while somebody listens for its end: it is removed, or its session is closed. */
const over: ReadonlySet<unknown> = new Set(['CLOSED', 'TASK_NOT_FOUND', 'INTERNAL']);

/**
 * Reports what failed while nobody waited for it, unless the session was closed, or it passes. A mistake that ended a wait
 * (`INTERNAL`) was reported where it was met.
 */
export function report(doing: string, error: unknown, sessionId: string | null = null): void {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  if (name === 'AbortError' || over.has(code) || isExpected(error, passing)) return;
  warn({ doing, error, sessionId });
}

/** Lets something go on that nobody waits for. */
export function goOn(doing: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => report(doing, error));
}

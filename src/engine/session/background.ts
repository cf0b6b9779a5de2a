import { type Expected, expected, isExpected } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';

/** The place of work that no caller waits for. */
export interface Place {
  readonly store: { readonly dir: string };
  readonly sessionId?: string;
}

/**
 * Failures that pass, or that the user can see elsewhere: no descriptors, no memory, a disk that is full or fails, a folder
 * that was removed. The slow poll looks again at whatever was left undone.
 */
export const passing: Expected = expected(
  ...(['READ_FAILED', 'STORE_UNWRITABLE'] as const),
  ...(['absent', 'refused', 'full', 'scarce', 'failing', 'busy'] as const),
);

/** What `fs.watch` says where there is no watch to be had. */
export const unwatched = expected('absent', 'refused', 'full', 'scarce', 'failing', 'unsupported');

/** Reports an error of work that no caller waits for, unless the error is expected. */
export function report(
  place: Place,
  doing: string,
  error: unknown,
  { taskId = null, codes = passing }: { taskId?: string | null; codes?: Expected } = {},
): void {
  if (isExpected(error, codes)) return;
  warn({ doing, error, dir: place.store.dir, sessionId: place.sessionId ?? null, taskId });
}

/**
 * Runs work that no caller waits for. An error of it must not end the user's process, as an unhandled rejection would.
 * @param doing what fails when it fails: `checking a task`.
 */
export function background(
  place: Place,
  doing: string,
  work: Promise<unknown>,
  taskId: string | null = null,
): void {
  work.catch((error: unknown) => report(place, doing, error, { taskId }));
}

/** A callback of the event loop. An error of it must not end the user's process, as an uncaught exception would. */
export function guarded<Args extends unknown[]>(
  place: Place,
  doing: string,
  callback: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      report(place, doing, error);
    }
  };
}

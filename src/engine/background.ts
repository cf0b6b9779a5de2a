/**
 * Lets work go on that nobody waits for. Its failures are of the kind that passes (no descriptors, no
 * memory, a disk error): the slow poll looks again at whatever was left undone, so they must not end the
 * user's process as an unhandled rejection would.
 */
export function background(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

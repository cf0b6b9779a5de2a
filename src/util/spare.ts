import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** What the system says when this process, or the machine, has no descriptor left. */
const lacks = new Set(['EMFILE', 'ENFILE']);

let spare: number | null = null;

/**
 * Keeps a descriptor that stands for nothing. A process that has run out of them must still be able to look at its tasks
 * and to stop them.
 */
export function keepSpare(): void {
  if (spare !== null) return;
  try {
    spare = openSync(devNull, 'r');
  } catch {
    // There is none to be had.
  }
}

/**
 * Does something that needs a descriptor, and gives it back before it returns; when there is none, with the spare one.
 * @throws what the work throws.
 */
export function withSpare<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (spare === null || !isLack(error)) throw error;
    closeSync(spare);
    spare = null;
    try {
      return work();
    } finally {
      keepSpare();
    }
  }
}

function isLack(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return lacks.has(String(code)) || isLack(error.cause);
}

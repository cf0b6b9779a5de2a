import { closeSync, openSync } from 'node:fs';

/** The spare descriptor; null while nobody holds one, or while another has taken its place. */
let spare: number | null = null;
let holders = 0;

/**
 * Keeps a descriptor for the moment when this process has no other: it must still check and stop tasks, and that takes
 * one.
 * @returns a function that releases it; the last holder closes it.
 */
export function holdSpare(): () => void {
  holders += 1;
  refill();
  let isHeld = true;
  return () => {
    if (isHeld) holders -= 1;
    isHeld = false;
    if (holders > 0 || spare === null) return;
    closeSync(spare);
    spare = null;
  };
}

/**
 * Does something that opens a file, and closes it before it returns. With the spare descriptor when there is no other.
 * @throws what `work` throws.
 */
export function withSpare<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (spare === null || !isWithoutDescriptors(error)) throw error;
    closeSync(spare);
    spare = null;
    try {
      return work();
    } finally {
      refill();
    }
  }
}

function refill(): void {
  try {
    spare ??= openSync('/dev/null', 'r');
  } catch (error) {
    // There is none to spare, or no such file.
    if (!('syscall' in (error as Error))) throw error;
  }
}

function isWithoutDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}

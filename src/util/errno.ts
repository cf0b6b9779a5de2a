import { getSystemErrorName } from 'node:util';

/** The name of an error that this system has that number for, such as `ENOSPC` for 28; `null` for 0, and for what is no such number. */
export function errorName(errno: number): string | null {
  if (errno === 0 || !Number.isSafeInteger(errno)) return null;
  return getSystemErrorName(-errno);
}

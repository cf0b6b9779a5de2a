import { isAbsolute, resolve } from 'node:path';
import { type ErrorCode, OutliveError, shown } from '../errors/error.ts';
import { bounds } from '../model/limits.ts';

/**
 * Checks a text that a caller gave, by the bytes of its UTF-8.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkText(option: string, value: unknown, maxBytes: number, minBytes = 1): string {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : -1;
  if (typeof value !== 'string' || bytes < minBytes || bytes > maxBytes || value.includes('\0')) {
    invalid(option, `text of ${minBytes} to ${maxBytes} bytes without NUL characters`, value);
  }
  return value as string;
}

/**
 * Checks a number that a caller gave.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkNumber(
  option: string,
  value: unknown,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    invalid(option, `a number from ${min} to ${max}`, value);
  }
  return value as number;
}

/**
 * Checks a number of bytes.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkBytes(option: string, value: unknown, min: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min)
    invalid(option, `a whole number from ${min}`, value);
  return value as number;
}

/**
 * Checks the id of a session: any text of 1 to 1024 bytes without NUL.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkSessionId(sessionId: unknown): string {
  const id = checkText('sessionId', sessionId, bounds.sessionIdBytes);
  // Half a character has no bytes of its own: two such ids would be one on disk.
  if (/\p{Surrogate}/u.test(id)) invalid('sessionId', 'text of whole Unicode characters', id);
  return id;
}

/**
 * The absolute form of a path that a caller gave.
 * @throws OutliveError `INVALID_ARGUMENT` when it is no path.
 */
export function checkPath(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) invalid(option, 'a path', value);
  return isAbsolute(value as string) ? (value as string) : resolve(value as string);
}

/** Refuses the value of an option. */
export function invalid(option: string, expected: string, found: unknown): never {
  return fail('INVALID_ARGUMENT', `expected ${option} to be ${expected}; found ${shown(found)}.`);
}

/** Refuses what a caller gave. */
export function fail(code: ErrorCode, message: string): never {
  throw new OutliveError(code, message);
}

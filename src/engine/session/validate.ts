import { type ErrorCode, OutliveError, shown } from '../../errors/error.ts';
import { bounds } from '../../model/limits.ts';
import { absolutePath } from '../../platform/current-folder.ts';
import type { Stream } from '../../tasklog/output.ts';

/**
 * Checks a text that a caller gave, by the bytes of its UTF-8.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkText(option: string, value: unknown, maxBytes: number, minBytes = 1): string {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : -1;
  if (typeof value !== 'string' || bytes < minBytes || bytes > maxBytes || value.includes('\0')) {
    invalid(option, `text of ${minBytes} to ${maxBytes} bytes without NUL characters`, value);
  }
  if (!isWhole(value as string)) invalid(option, 'text of complete Unicode characters', value);
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
 * Checks an option that is true or false.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkFlag(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') invalid(option, 'true or false', value);
  return value as boolean;
}

/**
 * Checks a signal that ends a wait: an AbortController in its place is a common slip.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkAbortSignal(value: AbortSignal | undefined): AbortSignal | undefined {
  // One of another realm, or of a polyfill, is as good.
  if (value !== undefined && typeof value?.throwIfAborted !== 'function')
    invalid('abortSignal', 'an AbortSignal', value);
  return value;
}

/**
 * Checks the name of a stream.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkStream(stream: unknown): Stream {
  if (stream !== 'stdout' && stream !== 'stderr') invalid('stream', '"stdout" or "stderr"', stream);
  return stream as Stream;
}

/**
 * Checks the id of a session: any text of 1 to 1024 bytes without NUL.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkSessionId(sessionId: unknown): string {
  return checkText('sessionId', sessionId, bounds.sessionIdBytes);
}

/**
 * The absolute form of a path that a caller or the environment gave.
 * @throws OutliveError `INVALID_ARGUMENT` when it is no path, `INVALID_CWD` when it is relative to a folder that is gone.
 */
export function checkPath(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) invalid(option, 'a path', value);
  if (!isWhole(value as string) || (value as string).includes('\uFFFD'))
    invalid(option, 'a path of UTF-8 text (U+FFFD stands for other bytes)', value);
  return absolutePath(value as string);
}

/**
 * The value of a variable of the environment that names something of ours: with other characters it would name something
 * else.
 * @throws OutliveError `INVALID_ARGUMENT` when its bytes are no UTF-8, for which Node shows U+FFFD.
 */
export function checkVariable(name: string, value: string | undefined): string | undefined {
  if (value?.includes('\uFFFD')) invalid(name, 'UTF-8 text (U+FFFD stands for other bytes)', value);
  return value;
}

/** Whether all characters of a text are whole: half of one has no bytes, and would reach the system as another. */
export function isWhole(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Refuses the value of an option. */
export function invalid(option: string, expected: string, found: unknown): never {
  return fail('INVALID_ARGUMENT', `expected ${option} to be ${expected}; found ${shown(found)}.`);
}

/** Refuses what a caller gave. */
export function fail(code: ErrorCode, message: string): never {
  throw new OutliveError(code, message);
}

import { accessSync, constants, statSync } from 'node:fs';
import { OutliveError, readFailed, systemCode } from '../errors/error.ts';

/** Errors that say that a file is not there, or not for us; others say that the disk or the memory fails. */
const absences: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
]);

/** Whether an error says that a file is not there, or not for us. */
export function isAbsence(error: unknown): boolean {
  return absences.has(systemCode(error) ?? '');
}

/**
 * Why a program cannot be executed, as words that follow its path; `null` when it can, as far as can be told without
 * trying. Linux refuses access to programs on a file system mounted noexec; others refuse only to execute them.
 * @throws OutliveError `READ_FAILED`.
 */
export function whyNotExecutable(path: string): string | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'is not there';
    if (!stat.isFile()) return 'is no file';
    if (mayExecute(path)) return null;
    const mode = (stat.mode & 0o777).toString(8);
    return (stat.mode & 0o111) === 0 ? `may not be executed (mode 0${mode})` : noexec;
  } catch (error) {
    if (isAbsence(error)) return 'is not there, or may not be seen';
    throw readFailed(path, error);
  }
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (!isAbsence(error)) throw error;
    return false;
  }
}

/** The mode of a program is right, but the system still does not execute it. */
export const noexec =
  'may not be executed, although its mode allows it: its file system may be mounted noexec';

/** What an attempt to execute a program said, as words that follow its path. */
export function refusal(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return noexec;
  if (code === 'ENOENT') return 'cannot be executed: what loads it is not there (ENOENT)';
  return `cannot be executed (${code})`;
}

/** There is no shim that can be executed: what was found, and what to do. */
export function shimUnavailable(found: string, advice: string): OutliveError {
  return new OutliveError(
    'SHIM_UNAVAILABLE',
    `expected a shim, the program that runs tasks, that can be executed; found ${found}. ${advice}`,
  );
}

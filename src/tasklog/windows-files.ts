import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expected, tolerate } from '../errors/expected.ts';
import { readSmall } from './files.ts';
import type { SessionPaths } from './paths.ts';

/** The wrapper writes it just now, or it was removed. */
const unreadable = expected('absent', 'refused', 'scarce', 'failing', 'busy');

/** Files that a task has on Windows only. They are gone when it has ended. */
export interface WindowsFiles {
  /** The exit code, left by the wrapper. */
  readonly mark: string;
  /** The exit code before it takes its place. */
  readonly unfinishedMark: string;
  readonly wrapper: string;
  /** What PowerShell runs, and in it the command. */
  readonly main: string;
  readonly user: string;
  /** The command of cmd when it has several lines, and of a POSIX shell when it is long. */
  readonly batch: string;
  readonly script: string;
}

/** The files of a task, whose id has the form of a task's. */
export function windowsFiles(session: SessionPaths, taskId: string): WindowsFiles {
  const [task, output] = [join(session.tasks, taskId), join(session.output, taskId)];
  return {
    mark: `${task}.exit`,
    unfinishedMark: `${task}.exit.tmp`,
    wrapper: `${output}.bat`,
    main: `${output}.ps1`,
    user: `${output}.user.ps1`,
    batch: `${output}.user.bat`,
    script: `${output}.user.sh`,
  };
}

/** What the wrapper of a task has left. */
export interface ExitMark {
  readonly code: number;
  /** When it was written, epoch milliseconds. */
  readonly at: number;
}

/** Longer than any exit code. */
const exitMarkBytes = 64;

/** Reads an exit marker; null if there is none, or if it cannot be read yet. */
export function readExitMark(path: string): ExitMark | null {
  // Asked of every task that runs, again and again: one that is not there must not cost an exception.
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  try {
    const text = readSmall(path, exitMarkBytes)?.toString('latin1').trim() ?? '';
    return /^-?\d{1,10}$/.test(text) ? { code: signed(Number(text)), at: Math.round(stat.mtimeMs) } : null;
  } catch (error) {
    tolerate(error, unreadable, 'reading the exit marker of a task');
    return null;
  }
}

/** An exit code as the shells of Windows have it: programs end with 32 bits, and 4294967295 is -1. */
function signed(code: number): number {
  return code | 0;
}

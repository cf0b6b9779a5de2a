import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { readFailed } from '../../errors/error.ts';
import { expected, isExpected, tolerate } from '../../errors/expected.ts';
import { withSpare } from '../../util/spare.ts';
import { cookiePattern, cookieVariable, type ProcessView } from '../system.ts';

/** Read into again and again: files of /proc have no size, and Node takes 64 KiB anew for each. */
let buffer = Buffer.allocUnsafe(32 * 1024);

/**
 * The content of a file of /proc; null when it cannot be read: gone meanwhile, or another user's. To be out of
 * descriptors or memory is no such answer: the process that took it for one would hold every process for dead.
 * @throws OutliveError `READ_FAILED`.
 */
export function readProcFile(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  return read(path, encoding, false);
}

/**
 * The same for what the kernel gives whole in one read, if there is room: `stat`, `schedstat`, `environ`, `cmdline`. Hundreds
 * of them are read in a row, and asking each whether that was all costs a fifth.
 */
export function readProcRecord(path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | null {
  return read(path, encoding, true);
}

function read(path: string, encoding: 'utf8' | 'latin1', isRecord: boolean): string | null {
  try {
    return withSpare(() => readNow(path, encoding, isRecord));
  } catch (error) {
    if (isExpected(error, passing)) throw readFailed(path, error);
    tolerate(error, unseen, 'reading a file of /proc');
    return null;
  }
}

function readNow(path: string, encoding: 'utf8' | 'latin1', isRecord: boolean): string {
  const descriptor = openSync(path, 'r');
  try {
    // First the reading, which may need a larger buffer.
    const length = readAll(descriptor, isRecord);
    return buffer.toString(encoding, 0, length);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The names in /proc: processes, and some files.
 * @throws OutliveError `READ_FAILED`.
 */
export function namesInProc(): string[] {
  try {
    return withSpare(() => readdirSync('/proc'));
  } catch (error) {
    throw readFailed('/proc', error);
  }
}

/** The name of this process in /proc, which may be that of an outer namespace. */
export function ownEntry(): string {
  try {
    return readlinkSync('/proc/self');
  } catch (error) {
    tolerate(error, unseen, 'finding this process in /proc');
    return '';
  }
}

/**
 * Whether /proc is that of this pid namespace: in a sandbox it may be that of an outer one, in which a number means another
 * process.
 */
export function isOwnProc(): boolean {
  const entry = ownEntry();
  return entry === '' || entry === String(process.pid);
}

/** An error of the reading process, not of the process that it reads. */
const passing = expected('scarce');

/** The process is gone, or another user's; or the kernel, or a sandbox, does not show that. */
export const unseen = expected('gone', 'absent', 'refused', 'scarce', 'unsupported', 'EIO');

function readAll(descriptor: number, isRecord: boolean): number {
  for (let length = 0; ; ) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += count;
    if (count === 0 || (isRecord && length < buffer.length)) return length;
    if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length)]);
  }
}

/** What /proc/PID/stat says of a process beyond its identity and state. */
export interface StatUsage {
  readonly view: ProcessView;
  /** User and system time of all its threads, in clock ticks. */
  readonly cpuTicks: number;
  readonly threads: number;
  /** Resident memory. */
  readonly pages: number;
  /** False for the kernel's own threads, and for what is about to end. */
  readonly hasMemory: boolean;
}

/**
 * Fields of /proc/PID/stat after the name, which may contain blanks and brackets: state, parent, group, session and, as
 * the 20th, the start time in clock ticks since boot.
 */
export function parseStat(text: string): ProcessView | null {
  return viewOf(text, fieldsOf(text));
}

/**
 * The same of what may be a thread of a process, and not its first: null then. The 36th field is the signal that a
 * parent gets at the end; threads have none, which is -1.
 */
export function parseStatOfProcess(text: string): ProcessView | null {
  const fields = fieldsOf(text, 36);
  return fields[35] === '-1' ? null : viewOf(text, fields);
}

/**
 * The view with more: of those fields the 12th and 13th, which are user and system time, the 18th, the threads, and the 21st and
 * 22nd: virtual memory, in bytes, and resident.
 */
export function parseStatUsage(text: string): StatUsage | null {
  const fields = fieldsOf(text);
  const view = viewOf(text, fields);
  if (view === null) return null;
  return {
    view,
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    threads: Number(fields[17]),
    pages: Number(fields[21]),
    hasMemory: fields[20] !== '0',
  };
}

/** Most callers need none after the 22nd. */
function fieldsOf(text: string, most = 22): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ', most);
}

function viewOf(text: string, fields: readonly string[]): ProcessView | null {
  const pid = Number.parseInt(text, 10);
  const state = fields[0];
  const start = Number(fields[19]);
  if (!Number.isInteger(pid) || state === undefined || !Number.isFinite(start)) return null;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    start,
    zombie: state === 'Z' || state === 'X',
    suspended: state === 'T' || state === 't',
  };
}

/** Whether an environment is that of another task's process. */
export function isSomebodyElses(environ: string | null, cookie: string): boolean {
  return isAnother(cookieIn(environ), cookie);
}

/** Whether what was found in an environment is the cookie of another task. */
export function isAnother(found: string | null, cookie: string): boolean {
  return found !== null && found !== cookie && cookiePattern.test(found);
}

/** Whether a process carries a cookie. */
export function carries(pid: number, cookie: string): boolean {
  return cookieOf(pid) === cookie;
}

/** The cookie that a process carries. */
export function cookieOf(pid: number): string | null {
  return cookieIn(environOf(pid));
}

/** The environment that a process was started with, as the kernel shows it; null when it cannot be read. */
export function environOf(pid: number): string | null {
  return readProcRecord(`/proc/${pid}/environ`, 'latin1');
}

/** The cookie in an environment. */
export function cookieIn(environ: string | null): string | null {
  if (environ === null) return null;
  const name = `${cookieVariable}=`;
  const at = environ.startsWith(name) ? 0 : environ.indexOf(`\0${name}`) + 1;
  if (at === 0 && !environ.startsWith(name)) return null;
  const end = environ.indexOf('\0', at);
  return environ.slice(at + name.length, end < 0 ? undefined : end);
}

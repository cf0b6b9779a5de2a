import { constants, fdatasync, fstatSync, open, openSync, readSync, writeSync } from 'node:fs';
import { readFailed, systemCode } from '../errors/error.ts';
import type { ExitFact, Fact } from '../model/facts.ts';
import { type Facts, foldFacts } from '../model/fold.ts';
import { withSpare } from '../util/spare.ts';
import { encodeFact, parseLog } from './codec.ts';
import { letGo } from './files.ts';

/** Never through a symbolic link, and never held up by a pipe that somebody put there. */
const careful = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The facts of a task's end must fit on a full disk: whatever the spec's last block has left beyond its end
 * is theirs, and this much must be left. Blocks are 4 KiB on every file system that matters.
 */
const reservedBytes = 2048;
const blockBytes = 4096;

/** A log as read from disk. */
export interface TaskLog {
  /** In the order of the file. */
  readonly list: readonly Fact[];
  /** Size of the file; 0 for a log that was created and not yet written, or spoiled before it was. */
  readonly bytes: number;
  /** When the last fact was appended, epoch milliseconds. */
  readonly modifiedAt: number;
}

/**
 * Creates a log, which allocates its task's id. The descriptor is for appending, and for reading what others
 * append: the shim does both.
 * @throws a system error, `EEXIST` when the id is taken.
 */
export function createLog(path: string): Promise<number> {
  return create(path, constants.O_RDWR);
}

/** Creates the file that a command writes to: appending, so that several descriptors of it overwrite nothing. */
export function createOutput(path: string): Promise<number> {
  return create(path, constants.O_WRONLY);
}

/** Making a file can take as long as a fork, on disks with a journal: the event loop does not wait for it. */
function create(path: string, access: number): Promise<number> {
  const flags = access | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND | careful;
  return new Promise((resolve, reject) => {
    open(path, flags, 0o600, (error, descriptor) => (error ? reject(error) : resolve(descriptor)));
  });
}

/** Somebody has spoiled or removed the record of a task that was about to start. */
export class RecordGone extends Error {}

/**
 * Appends the spec to a new log, padded so that the facts of the end have room even on a full disk, and reads back that
 * nothing came before it: see {@link spoilLog}.
 * @returns the size of the log.
 * @throws a system error, or {@link RecordGone}.
 */
export function writeSpec(descriptor: number, spec: Fact): number {
  const text = encodeFact(spec);
  const used = Buffer.byteLength(text) % blockBytes;
  const short = used === 0 || blockBytes - used < reservedBytes;
  // The padding ends with a line break: what comes after it begins a line.
  const padded = short ? `${text}${' '.repeat(blockBytes - used)}\n` : text;
  writeAll(descriptor, padded);
  const bytes = Buffer.from(padded);
  if (!beginningOf(descriptor, bytes.length).equals(bytes)) throw new RecordGone('its log was spoiled');
  return bytes.length;
}

/** @throws RecordGone when one of some open files has no name any more. */
export function checkNamed(descriptors: readonly (number | null)[]): void {
  for (const descriptor of descriptors)
    if (descriptor !== null && fstatSync(descriptor).nlink === 0)
      throw new RecordGone('its files were removed');
}

/** What is in a log that was spoiled, perhaps by several processes that died of it. */
const spoilt = /^\n{0,16}$/;
const spoiltBytes = 16;

/**
 * Makes a log that nothing was written to one that no spec can be the first of: its spawner, which may only have been
 * stopped for long, finds that and starts nothing. Whatever comes first in the log is first for both.
 * @returns false when a spec was first.
 */
export function spoilLog(path: string): boolean {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_APPEND | careful);
  try {
    writeAll(descriptor, '\n');
    return spoilt.test(beginningOf(descriptor, 2 * spoiltBytes).toString('latin1'));
  } finally {
    letGo(descriptor);
  }
}

function beginningOf(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, size, 0));
}

/** Resolves when what was written to the log is on the disk. */
export function syncLog(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error ? reject(error) : resolve()));
  });
}

/** Appends facts in one write. Order in the file is the order of events, for everybody. */
export function appendFacts(path: string, facts: readonly Fact[]): void {
  withSpare(() => {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | careful);
    try {
      writeAll(descriptor, facts.map(encodeFact).join(''));
    } finally {
      letGo(descriptor);
    }
  });
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  const written = writeSync(descriptor, bytes);
  // A disk that fills up in the middle takes a part; the next write then says why.
  if (written < bytes.length) writeSync(descriptor, bytes, written);
}

/**
 * Reads and folds a log; null when there is none, or when what is there is no file.
 * @throws OutliveError `READ_FAILED`.
 */
export function readLog(path: string): TaskLog | null {
  try {
    return withSpare(() => readNow(path));
  } catch (error) {
    if (unreadable.has(systemCode(error) ?? '')) return null;
    throw readFailed(path, error);
  }
}

function readNow(path: string): TaskLog | null {
  const descriptor = openSync(path, constants.O_RDONLY | careful);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return null;
    const buffer = stat.size > scratch.length ? Buffer.allocUnsafe(stat.size) : scratch;
    const length = readSync(descriptor, buffer, 0, stat.size, 0);
    const text = buffer.toString('utf8', 0, length);
    const isEmpty = length <= spoiltBytes && spoilt.test(text);
    return { list: parseLog(text), bytes: isEmpty ? 0 : stat.size, modifiedAt: stat.mtimeMs };
  } finally {
    letGo(descriptor);
  }
}

/** Facts that say which processes are a task's. */
const ofProcesses: ReadonlySet<Fact['fact']> = new Set(['spec', 'waiting', 'turn', 'started']);

/**
 * A log as that of one task. Where the record of another task was put in its place, the processes that it names are
 * that task's, so nothing may be done to them in the name of this one: it counts as a record without a spec.
 */
export function logOfTask(log: TaskLog, taskId: string): TaskLog {
  const spec = log.list.find((fact) => fact.fact === 'spec');
  if (spec === undefined || spec.taskId === taskId) return log;
  return { ...log, list: log.list.filter((fact) => !ofProcesses.has(fact.fact)) };
}

/** One buffer for all logs of a usual size: a thousand of them that are read at once would be megabytes of garbage. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);

/** A fact that could not be appended yet. */
export interface UnwrittenFact {
  readonly fact: Fact;
  /** So many facts came before it; what others have appended since then comes behind it. */
  readonly behind: number;
}

/**
 * Folds a log together with facts that could not be appended to it yet, and with an end that was heard of and that the
 * log may not have.
 */
export function foldWith(log: TaskLog, unwritten: readonly UnwrittenFact[] = [], heard?: ExitFact): Facts {
  const facts = foldFacts(log.list);
  const isNews = heard !== undefined && facts.exit === undefined;
  if (unwritten.length === 0 && !isNews) return facts;
  const list = [...log.list];
  for (const { fact, behind } of unwritten) list.splice(behind, 0, fact);
  if (isNews) list.push(heard);
  // The shim reads what is on disk, and nothing else forbids it to start the command.
  return { ...foldFacts(list), isForbidden: facts.isForbidden };
}

/** Not there, a symbolic link, or a path that cannot be a file. */
const unreadable = new Set(['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EISDIR', 'EACCES']);

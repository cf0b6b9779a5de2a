import { constants, fdatasync, fstatSync, open, openSync, readSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { Fact, SpecFact } from '../model/facts.ts';
import type { WatchFact } from '../model/watch-facts.ts';
import type { FileIdentity } from '../model/words.ts';
import { withSpare } from '../util/spare.ts';
import { trace } from '../util/topic.ts';
import { encodeFact } from './codec.ts';
import { careful, letGo } from './files.ts';

/**
 * The facts of a task's end must fit on a full disk: whatever the spec's last block has left beyond its end
 * is theirs, and this much must be left. Blocks are 4 KiB on every file system that matters.
 */
const reservedBytes = 2048;
const blockBytes = 4096;

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

/** Which file an open one is. */
export function fileOf(descriptor: number): FileIdentity {
  const { dev, ino } = fstatSync(descriptor);
  return { dev, ino };
}

/** Somebody has spoiled or removed the record of a task that was about to start. */
export class RecordGone extends Error {}

/**
 * Appends the spec to a new log, with the watches that the task has from its first byte on, padded so that the facts of the end have room even on a full disk, and reads back that
 * nothing came before it: see {@link spoilLog}.
 * @returns what is in the log.
 * @throws a system error, or {@link RecordGone}.
 */
export function writeSpec(descriptor: number, spec: SpecFact, watches: readonly WatchFact[] = []): string {
  const text = [spec, ...watches].map(encodeFact).join('');
  const used = Buffer.byteLength(text) % blockBytes;
  const short = used === 0 || blockBytes - used < reservedBytes;
  // The padding ends with a line break: what comes after it begins a line.
  const padded = short ? `${text}${' '.repeat(blockBytes - used)}\n` : text;
  writeAll(descriptor, padded);
  const bytes = Buffer.from(padded);
  if (!beginningOf(descriptor, bytes.length).equals(bytes)) throw new RecordGone('its log was spoiled');
  trace(() => `${spec.taskId}: appended: spec`);
  return padded;
}

/** @throws RecordGone when an open log no longer has a name. */
export function checkNamed(descriptor: number): void {
  if (fstatSync(descriptor).nlink === 0) throw new RecordGone('its log was removed');
}

/** What is in a log that was spoiled, perhaps by several processes that died of it. */
const spoilt = /^\n{0,16}$/;
const spoiltBytes = 16;

/** Whether that text is the whole of a log that nothing was written to, or that was spoiled. */
export function isBlank(text: string): boolean {
  return spoilt.test(text);
}

/**
 * Makes a log that nothing was written to one that no spec can be the first of: its spawner, which may only have been
 * stopped for long, finds that and starts nothing. Whatever comes first in the log is first for both.
 * @returns false when a spec was first.
 */
export function spoilLog(path: string): boolean {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_APPEND | careful);
  try {
    writeAll(descriptor, '\n');
    return isBlank(beginningOf(descriptor, 2 * spoiltBytes).toString('latin1'));
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
      const names = facts.map(({ fact }) => fact);
      trace(() => `${basename(path, '.jsonl')}: appended: ${names.join(', ')}`);
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

// Not from node:fs/promises, which a program of CommonJS would load at its start, and with it Node's readline.
import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { tolerate } from '../../errors/expected.ts';
import type { Facts } from '../../model/fold.ts';
import type { CutFact } from '../../model/output-facts.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { renameWhole } from '../../tasklog/files.ts';
import { outputFile, outputSize, type Stream } from '../../tasklog/output.ts';
import { cutPath, taskPaths } from '../../tasklog/paths.ts';
import { holdProcess } from '../../util/wait.ts';
import { record } from '../session/append.ts';
import { background, passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { keepLastScreen } from '../session/kept-screen.ts';
import { observe } from '../session/observe.ts';
import { putAwaySoon } from '../session/put-away.ts';

/** How far a cut moves to fall on the end of a line. */
const lineSearchBytes = 64 * 1024;
const copyBytes = 1024 * 1024;

/**
 * Shortens the output of an ended task to what its spec keeps: head and tail, at line ends, a notice in
 * between. Offsets stay what they were, by the `cut` fact. The fact comes first and the shorter file takes
 * the place of the whole one after it; the size of the file tells readers which of the two is there. Output
 * of a task with leftovers is left alone, because they may be writing to it.
 */
export async function cutOutput(context: SessionContext, taskId: string): Promise<void> {
  const release = holdProcess();
  try {
    await cutStreams(context, taskId);
    putAwaySoon(context, taskId);
  } finally {
    release();
  }
}

/** The same, for those who do not wait for it. */
export function cutSoon(context: SessionContext, taskId: string): void {
  background(context, 'shortening output', cutOutput(context, taskId), taskId);
}

/** Whether an ended task wrote more than is kept of it. What was cut already is told by the file. */
export function exceedsKeep({ spec, outcome }: Facts): boolean {
  const keep = spec?.keepOutputBytes ?? null;
  return keep !== null && outcome !== undefined && Math.max(outcome.bytes, outcome.stderrBytes) > keep;
}

async function cutStreams(context: SessionContext, taskId: string): Promise<void> {
  const observed = observe(context, taskId);
  const keep = observed?.facts.spec?.keepOutputBytes ?? null;
  const outcome = observed?.facts.outcome;
  if (observed === null || keep === null || outcome === undefined) return;
  const { leftovers } = outcome;
  if (leftovers.length > 0 && observed.facts.gone === undefined) return;
  for (const stream of ['stdout', 'stderr'] as const) {
    const bytes = stream === 'stdout' ? outcome.bytes : outcome.stderrBytes;
    if (bytes <= keep) continue;
    const file = outputFile(context.paths, taskId, stream, observed.facts);
    const physical = await sizeOf(file.path);
    // Cut already: the logical size is larger than the file's.
    if (physical <= keep || outputSize(file) !== physical) continue;
    // A screen is made of all that a terminal was ever sent.
    if (stream === 'stdout' && observed.facts.spec?.tty !== undefined) await keepLastScreen(context, taskId);
    await cutStream(context, taskId, stream, physical, keep);
  }
}

/** 0: it is not there, or cannot be seen. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await promises.stat(path)).size;
  } catch (error) {
    tolerate(error, passing, 'checking output');
    return 0;
  }
}

async function cutStream(
  context: SessionContext,
  taskId: string,
  stream: Stream,
  bytes: number,
  keep: number,
): Promise<void> {
  const path = taskPaths(context.paths, taskId)[stream];
  const shortened = cutPath(path, context.store.system.self());
  let isWritten = false;
  const source = await promises.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size, atime, mtime } = await source.stat();
    // Another process may have been here first.
    if (size !== bytes) return;
    const target = await promises.open(shortened, 'wx', 0o600);
    try {
      const cut = await plan(source, stream, bytes, keep);
      await copy(source, target, 0, cut.head);
      await target.write(notice(cut));
      await copy(source, target, cut.tail, bytes);
      // The file's time says when the command wrote last.
      await target.utimes(atime, mtime);
      if (record(context, taskId, [cut])) isWritten = true;
      else await promises.unlink(shortened);
    } catch (error) {
      await drop(shortened);
      throw error;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  // Windows gives no file another's place while one of them is open here.
  if (!isWritten) return;
  await takePlace(shortened, path);
  // A process that has removed the task since the fact was written has removed the output of that time.
  if (logPathOf(context.paths, taskId) === null) await drop(path);
}

async function takePlace(shortened: string, path: string): Promise<void> {
  try {
    renameWhole(shortened, path);
  } catch (error) {
    await drop(shortened);
    throw error;
  }
}

/** What stays is swept later, once this process is gone. */
async function drop(path: string): Promise<void> {
  await promises
    .unlink(path)
    .catch((error: unknown) => tolerate(error, passing, 'removing a shortened output'));
}

async function plan(source: FileHandle, stream: Stream, bytes: number, keep: number): Promise<CutFact> {
  const half = Math.floor(keep / 2);
  const before = await readAt(source, Math.max(0, half - lineSearchBytes), Math.min(half, lineSearchBytes));
  const lineEnd = before.lastIndexOf(0x0a);
  const head = lineEnd < 0 ? half : half - before.length + lineEnd + 1;
  const earliest = bytes - (keep - half);
  const behind = await readAt(source, earliest, Math.min(bytes - earliest, lineSearchBytes));
  const tail = earliest + behind.indexOf(0x0a) + 1;
  const cut: CutFact = { fact: 'cut', stream, head, tail, bytes, notice: 0 };
  return { ...cut, notice: Buffer.byteLength(notice(cut)) };
}

function notice(cut: CutFact): string {
  return `\n[outlive: ${cut.tail - cut.head} bytes from offset ${cut.head} were cut out]\n`;
}

async function copy(source: FileHandle, target: FileHandle, from: number, to: number): Promise<void> {
  for (let offset = from; offset < to; offset += copyBytes) {
    await target.write(await readAt(source, offset, Math.min(copyBytes, to - offset)));
  }
}

async function readAt(source: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await source.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

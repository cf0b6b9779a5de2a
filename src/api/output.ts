import type { SessionContext } from '../engine/session/context.ts';
import { observe } from '../engine/session/observe.ts';
import { readableOutput } from '../engine/session/output-file.ts';
import {
  checkAbortSignal,
  checkBytes,
  checkNumber,
  checkStream,
  invalid,
} from '../engine/session/validate.ts';
import { OutputWatcher } from '../engine/watches/output-watcher.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { taskNotFound } from '../errors/error.ts';
import { defaults } from '../model/limits.ts';
import { type OutputMark, offsetSince } from '../model/marks.ts';
import { plainText } from '../model/plain-text.ts';
import { readMarks } from '../tasklog/marks.ts';
import {
  lookAtOutput,
  type OutputFile,
  type OutputSlice,
  outputState,
  readOutput,
  type Stream,
  tailOutput,
  wholeCharacters,
} from '../tasklog/output.ts';
import { taskPaths } from '../tasklog/paths.ts';

/** What to read. */
export interface ReadOptions {
  /** Byte to begin at, as the command wrote them. @default 0 */
  readonly offset?: number;
  /**
   * Instead of `offset`: begin with what was written at this time, in epoch milliseconds, or later. Where nobody knows
   * exactly, it begins a little earlier: see {@link Task.marks}. Not on Windows.
   */
  readonly since?: number;
  /** At most this many bytes. @default 65536 */
  readonly maxBytes?: number;
  /** @default 'stdout', which holds both unless the task keeps them apart */
  readonly stream?: Stream;
}

const readOptionNames: OptionNames<ReadOptions> = { offset: true, since: true, maxBytes: true, stream: true };

/** What to read from the end. */
export type TailOptions = Omit<ReadOptions, 'offset' | 'since'>;

const tailOptionNames: OptionNames<TailOptions> = { maxBytes: true, stream: true };

/** Of which stream the marks are. */
export interface MarksOptions {
  /** @default 'stdout' */
  readonly stream?: Stream;
}

const marksOptionNames: OptionNames<MarksOptions> = { stream: true };

/** How to follow. */
export interface FollowOptions {
  /** Byte to begin at. @default 0 */
  readonly offset?: number;
  /** @default 'stdout' */
  readonly stream?: Stream;
  /** Ends the iteration, and nothing else. */
  readonly abortSignal?: AbortSignal;
}

const followOptionNames: OptionNames<FollowOptions> = { offset: true, stream: true, abortSignal: true };

/** A stretch of a task's output. Bytes are the truth; text is a view. Offsets count bytes as the command wrote them. */
export interface OutputChunk {
  readonly bytes: Buffer;
  /** The bytes as UTF-8; invalid ones become U+FFFD. */
  readonly text: string;
  /** The text without escapes, and of lines that were written over the last state. */
  readonly plain: string;
  /** Where `bytes` begin. */
  readonly offset: number;
  /** Where to read on. */
  readonly nextOffset: number;
  /** Bytes written so far. */
  readonly size: number;
  /**
   * Bytes before `offset` that this answer leaves out: for `tail`, everything before; for `read`, what was
   * cut out of the output after the task had ended.
   */
  readonly omittedBytes: number;
  /**
   * The offset of the first byte in the file: 0, until a program shortens the file (by `: > file`, for example) and this
   * process notices it. Then the bytes in the file get offsets after all that was seen before.
   */
  readonly beginsAt: number;
  /** Whether more is there already, or can still come. */
  readonly more: boolean;
}

/** Reads a stretch of output. It ends with a whole character, unless not even one has room in it. */
export function read(context: SessionContext, taskId: string, options: ReadOptions): OutputChunk {
  const {
    offset = 0,
    since,
    maxBytes = defaults.readBytes,
    stream = 'stdout',
  } = checkOptions('task.read()', options, readOptionNames);
  checkBytes('offset', offset, 0);
  checkBytes('maxBytes', maxBytes, 1);
  checkStream(stream);
  if (since !== undefined) checkSince(options);
  const { file, ended } = source(context, taskId, stream);
  const begin = since === undefined ? offset : offsetSince(marksIn(context, taskId, stream, file), since);
  const raw = readOutput(file, begin, maxBytes);
  const isRest = raw.nextOffset >= raw.size;
  const found = wholeCharacters(raw, ended && isRest);
  return chunk(found.bytes.length === 0 && !isRest ? raw : found, ended);
}

function checkSince({ since, offset }: ReadOptions): void {
  refuseMarksOnWindows('since');
  checkNumber('since', since, 0);
  if (offset !== undefined) invalid('since', 'the only one of since and offset', 'both');
}

/** The wrapper there notes no times. */
function refuseMarksOnWindows(what: string): void {
  if (process.platform === 'win32')
    invalid(what, 'left out on Windows, where outlive records no times', what);
}

/** The time of a file is that of the kernel's last tick. */
const tickMs = 10;

/** When the output had grown how far; the last one is its end. */
export function marks(context: SessionContext, taskId: string, options: MarksOptions): readonly OutputMark[] {
  const { stream = 'stdout' } = checkOptions('task.marks()', options, marksOptionNames);
  checkStream(stream);
  refuseMarksOnWindows('marks');
  return marksIn(context, taskId, stream, source(context, taskId, stream).file);
}

function marksIn(context: SessionContext, taskId: string, stream: Stream, file: OutputFile): OutputMark[] {
  const paths = taskPaths(context.paths, taskId);
  const { size, writtenAt } = outputState(file);
  const { beginsAt } = lookAtOutput(file);
  const end = { offset: size, at: Math.min(Date.now(), writtenAt + tickMs) };
  // The shim counts from the first byte in the file.
  const found = readMarks(stream === 'stdout' ? paths.stdoutMarks : paths.stderrMarks, end);
  return found.map(({ offset, at }) => ({ offset: beginsAt + offset, at }));
}

/** Reads the end of the output, at character boundaries. */
export function tail(context: SessionContext, taskId: string, options: TailOptions): OutputChunk {
  const { maxBytes = defaults.readBytes, stream = 'stdout' } = checkOptions(
    'task.tail()',
    options,
    tailOptionNames,
  );
  checkBytes('maxBytes', maxBytes, 1);
  checkStream(stream);
  const { file, ended } = source(context, taskId, stream);
  return chunk(wholeCharacters(tailOutput(file, maxBytes), ended), ended);
}

/**
 * Yields output as it grows, until the task has ended and everything was read. Chunks end with whole
 * characters, but for binary data; nothing is lost or doubled. When the output is made shorter from outside, a chunk says
 * so, which may have no bytes, and the next ones are what is written from then on.
 */
export async function* follow(
  context: SessionContext,
  taskId: string,
  options: FollowOptions,
): AsyncGenerator<OutputChunk, void, undefined> {
  const { stream = 'stdout', abortSignal } = checkOptions('task.follow()', options, followOptionNames);
  checkStream(stream);
  checkAbortSignal(abortSignal);
  let offset = checkBytes('offset', options.offset ?? 0, 0);
  let beginsAt = 0;
  const growth = new OutputWatcher(context, taskId, source(context, taskId, stream).file.path);
  try {
    while (!abortSignal?.aborted && !context.closed) {
      growth.reset();
      // First whether it ended, then the read: what comes between the two is read.
      const { file, ended } = source(context, taskId, stream);
      const raw = readOutput(file, offset, defaults.readBytes);
      const found = wholeCharacters(raw, ended && raw.nextOffset >= raw.size);
      // A reader that begins after what is gone has been told.
      const isErased = raw.beginsAt > beginsAt && offset <= raw.beginsAt;
      beginsAt = raw.beginsAt;
      if (found.bytes.length > 0 || isErased) {
        offset = Math.max(offset, found.nextOffset);
        yield chunk(found, ended);
      } else if (ended && raw.nextOffset >= raw.size) return;
      else await growth.next(abortSignal);
    }
  } finally {
    growth.close();
  }
}

function source(context: SessionContext, taskId: string, stream: Stream) {
  const observed = observe(context, taskId);
  if (observed === null) throw taskNotFound(context.sessionId, taskId);
  const ended = observed.decision.state !== 'live';
  return { file: readableOutput(context, taskId, stream, observed.facts), ended };
}

function chunk(found: OutputSlice, ended: boolean): OutputChunk {
  const text = found.bytes.toString('utf8');
  return {
    ...found,
    text,
    get plain() {
      return plainText(text);
    },
    more: !ended || found.nextOffset < found.size,
  };
}

import { checkBytes } from '../engine/checks.ts';
import type { SessionContext } from '../engine/context.ts';
import { observe } from '../engine/observe.ts';
import { taskNotFound } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import { defaults } from '../model/limits.ts';
import { plainText } from '../model/plain-text.ts';
import {
  type OutputSlice,
  outputFile,
  readOutput,
  type Stream,
  tailOutput,
  wholeCharacters,
} from '../tasklog/output.ts';
import { Growth } from './growth.ts';

/** What to read. */
export interface ReadOptions {
  /** Byte to begin at, as the command wrote them. @default 0 */
  readonly offset?: number;
  /** At most so many bytes. @default 65536 */
  readonly maxBytes?: number;
  /** @default 'stdout', which holds both unless the task keeps them apart */
  readonly stream?: Stream;
}

/** What to read from the end. */
export type TailOptions = Omit<ReadOptions, 'offset'>;

/** How to follow. */
export interface FollowOptions {
  /** Byte to begin at. @default 0 */
  readonly offset?: number;
  /** @default 'stdout' */
  readonly stream?: Stream;
  /** Ends the iteration, and nothing else. */
  readonly abortSignal?: AbortSignal;
}

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
  /** Whether more is there already, or can still come. */
  readonly more: boolean;
}

/** Reads a stretch of output, which may end with a part of a character: bytes are the truth. */
export function read(context: SessionContext, taskId: string, options: ReadOptions): OutputChunk {
  const { offset = 0, maxBytes = defaults.readBytes, stream = 'stdout' } = options;
  checkBytes('offset', offset, 0);
  checkBytes('maxBytes', maxBytes, 1);
  const { file, ended } = source(context, taskId, stream);
  return chunk(readOutput(file, offset, maxBytes), ended);
}

/** Reads the end of the output, at character boundaries. */
export function tail(context: SessionContext, taskId: string, options: TailOptions): OutputChunk {
  const { maxBytes = defaults.readBytes, stream = 'stdout' } = options;
  checkBytes('maxBytes', maxBytes, 1);
  const { file, ended } = source(context, taskId, stream);
  return chunk(wholeCharacters(tailOutput(file, maxBytes), ended), ended);
}

/**
 * Yields output as it grows, until the task has ended and everything was read. Chunks end with whole
 * characters, but for binary data; nothing is lost or doubled.
 */
export async function* follow(
  context: SessionContext,
  taskId: string,
  options: FollowOptions,
): AsyncGenerator<OutputChunk, void, undefined> {
  const { stream = 'stdout', abortSignal } = options;
  let offset = checkBytes('offset', options.offset ?? 0, 0);
  const growth = new Growth(context, taskId, source(context, taskId, stream).file.path);
  try {
    while (!abortSignal?.aborted && !context.closed) {
      growth.reset();
      // First whether it ended, then the read: what comes between the two is read.
      const { file, ended } = source(context, taskId, stream);
      const raw = readOutput(file, offset, defaults.readBytes);
      const found = wholeCharacters(raw, ended && raw.nextOffset >= raw.size);
      if (found.bytes.length > 0) {
        offset = found.nextOffset;
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
  const ended = decide(observed.facts, observed.alive).state !== 'live';
  return { file: outputFile(context.paths, taskId, stream, observed.facts), ended };
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

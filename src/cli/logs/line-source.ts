import type { OutputChunk } from '../../api/output.ts';
import type { TaskReader } from '../../api/task-reader.ts';
import { type LineMatcher, LineSearch, type PatternMatch } from '../../model/line-search.ts';
import { type OutputMark, writtenAt } from '../../model/marks.ts';
import { characterEnd } from '../../util/bytes.ts';
import { after, type Timer } from '../../util/wait.ts';
import type { Stream } from './begin.ts';

/** A line of output, or a piece of a long one. */
export interface Line {
  readonly source: LineSource;
  /** Without its end. */
  readonly bytes: Buffer;
  /** What comes next of this stream is another line. */
  readonly ends: boolean;
  /** When it had been written, in epoch milliseconds; `null`: nobody knows. */
  readonly at: number | null;
  /** What was looked for, where something was. */
  readonly match: PatternMatch | null;
}

type Piece = Pick<Line, 'bytes' | 'ends' | 'match'> & { readonly offset: number };

/** Makes lines of output that comes in chunks. */
interface Splitter {
  take(bytes: Buffer, offset: number): Piece[];
  /** The unfinished line, when no more output comes. */
  rest(): Piece[];
  /** What has no end, when nothing has come for a moment: what looks like a prompt. */
  prompt(): Piece[];
}

/** What a source tells of its output besides the lines. */
export type NoticeChunk = (chunk: OutputChunk, stream: Stream) => void;

/** How lines are read. */
export interface LineSourceOptions {
  /** The first byte. */
  readonly from: number;
  /** Only lines in which this is found, and then without escapes. */
  readonly matcher: LineMatcher | null;
  /** When each line had been written is asked for, which Windows does not know. */
  readonly timed: boolean;
  /** It returns an unfinished line after a moment: a person watches, and the line may be a question. */
  readonly prompts: boolean;
  readonly notice: NoticeChunk;
}

/** Bytes that are read at a time. */
const stepBytes = 64 * 1024;

/** After this many milliseconds of silence an unfinished line counts as a prompt. */
const promptMs = 250;

/** A line that is longer comes in pieces. */
const longestPiece = 64 * 1024;

const lineFeed = 0x0a;

/** One stream of a task, line by line. */
export class LineSource {
  readonly task: TaskReader;
  readonly stream: Stream;
  readonly #timed: boolean;
  readonly #prompts: boolean;
  readonly #notice: NoticeChunk;
  readonly #splitter: Splitter;
  #offset: number;
  #marks: readonly OutputMark[] = [];

  constructor(
    task: TaskReader,
    stream: Stream,
    { from, matcher, timed, prompts, notice }: LineSourceOptions,
  ) {
    this.task = task;
    this.stream = stream;
    this.#timed = timed;
    this.#prompts = prompts;
    this.#notice = notice;
    this.#splitter = matcher === null ? new WholeLines() : new MatchingLines(matcher, from);
    this.#offset = from;
  }

  /** What is there now. A line without an end comes only when it is `whole`: nothing is read after that. */
  async *history(whole: boolean, abortSignal: AbortSignal): AsyncGenerator<Line[], void, undefined> {
    await this.#readMarks();
    while (!abortSignal.aborted) {
      const chunk = await this.task.read({ offset: this.#offset, maxBytes: stepBytes, stream: this.stream });
      if (chunk.bytes.length === 0) break;
      yield this.#linesOf(chunk);
      // A search that finds nothing writes nothing: only here signals are heard.
      await new Promise(setImmediate);
    }
    if (whole) yield this.#timedLines(this.#splitter.rest());
  }

  /** What is written after that, until the task has ended. */
  async *coming(abortSignal: AbortSignal): AsyncGenerator<Line[], void, undefined> {
    const over = new AbortController();
    const chunks = this.task.follow({
      offset: this.#offset,
      stream: this.stream,
      abortSignal: AbortSignal.any([abortSignal, over.signal]),
    });
    try {
      for (;;) {
        const next = chunks.next();
        if (this.#prompts && (await isSlow(next))) yield this.#timedLines(this.#splitter.prompt());
        const { done, value: chunk } = await next;
        if (done) break;
        await this.#readMarks();
        yield this.#linesOf(chunk);
      }
      yield this.#timedLines(this.#splitter.rest());
    } finally {
      over.abort();
    }
  }

  async #readMarks(): Promise<void> {
    if (this.#timed) this.#marks = await this.task.marks({ stream: this.stream });
  }

  #linesOf(chunk: OutputChunk): Line[] {
    this.#notice(chunk, this.stream);
    // What was between is gone.
    const before = chunk.offset === this.#offset ? [] : this.#splitter.rest();
    this.#offset = chunk.nextOffset;
    return this.#timedLines([...before, ...this.#splitter.take(chunk.bytes, chunk.offset)]);
  }

  #timedLines(pieces: readonly Piece[]): Line[] {
    return pieces.map(({ offset, bytes, ends, match }) => ({
      source: this,
      at: writtenAt(this.#marks, offset),
      bytes,
      ends,
      match,
    }));
  }
}

/** Whether a read takes so long that the text before it is a prompt. */
async function isSlow(coming: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const silence = new Promise<boolean>((resolve) => {
    timer = after(promptMs, () => resolve(true));
  });
  try {
    return await Promise.race([coming.then(() => false), silence]);
  } finally {
    timer?.cancel();
  }
}

/** What is being drawn over, or has half an escape sequence at its end: no prompt. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsettled = /\r|\x1b[^a-zA-Z]*$/;

/** All lines, as they were written. */
class WholeLines implements Splitter {
  #open: Buffer = Buffer.alloc(0);
  #openOffset = 0;

  take(more: Buffer, offset: number): Piece[] {
    if (this.#open.length === 0) this.#openOffset = offset;
    const bytes = this.#open.length === 0 ? more : Buffer.concat([this.#open, more]);
    const pieces: Piece[] = [];
    let at = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, at)) {
      pieces.push(this.#piece(bytes.subarray(at, end), at, true));
      at = end + 1;
    }
    if (bytes.length - at > longestPiece) {
      const end = characterEnd(bytes, bytes.length);
      pieces.push(this.#piece(bytes.subarray(at, end), at, false));
      at = end;
    }
    this.#openOffset += at;
    this.#open = bytes.subarray(at);
    return pieces;
  }

  rest(): Piece[] {
    const open = this.#open;
    this.#open = Buffer.alloc(0);
    return open.length === 0 ? [] : [this.#piece(open, 0, false)];
  }

  prompt(): Piece[] {
    const end = characterEnd(this.#open, this.#open.length);
    const shown = this.#open.subarray(0, end);
    if (end === 0 || unsettled.test(shown.toString())) return [];
    const piece = this.#piece(shown, 0, false);
    this.#open = this.#open.subarray(end);
    this.#openOffset += end;
    return [piece];
  }

  #piece(bytes: Buffer, at: number, ends: boolean): Piece {
    return { bytes, offset: this.#openOffset + at, ends, match: null };
  }
}

/** Lines in which something is found, without escapes: each state of a progress bar is one. */
class MatchingLines implements Splitter {
  readonly #matcher: LineMatcher;
  readonly #search: LineSearch;

  constructor(matcher: LineMatcher, from: number) {
    this.#matcher = matcher;
    this.#search = new LineSearch(matcher, from);
  }

  take(bytes: Buffer, offset: number): Piece[] {
    const pieces: Piece[] = [];
    for (let at = 0; at < bytes.length; at += this.#matcher.stretchBytes)
      pieces.push(
        ...this.#search.take(bytes.subarray(at, at + this.#matcher.stretchBytes), offset + at).map(pieceOf),
      );
    return pieces;
  }

  rest(): Piece[] {
    const match = this.#search.rest();
    return match === null ? [] : [pieceOf(match)];
  }

  prompt(): Piece[] {
    return [];
  }
}

function pieceOf(match: PatternMatch): Piece {
  return { bytes: Buffer.from(match.line), offset: match.lineOffset, ends: true, match };
}

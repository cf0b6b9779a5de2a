import type { OutputChunk } from '../../api/output.ts';
import type { TaskReader } from '../../api/task-reader.ts';
import { plainText } from '../../model/plain-text.ts';
import { characterEnd } from '../../util/bytes.ts';
import type { Stream } from '../logs/begin.ts';
import { shownLine } from './view.ts';

/** A line of output, or a piece of a long one. */
export interface LogLine {
  /** Where its first byte is in the output. */
  readonly offset: number;
  /** What a terminal would have left of it, without colours. */
  readonly text: string;
  /** It is not output: it says which output is missing. */
  readonly isNote?: true;
}

/** Bytes that are read at a time. */
const pageBytes = 64 * 1024;

/** Of what was read so much is kept: what is farther away is read again. */
const keptBytes = 256 * 1024;

/** A longer line comes in pieces. */
const longestPiece = 16 * 1024;

const lineFeed = 0x0a;

/** The lines of one stream of a task around the place that somebody looks at, however long the output is. */
export class LogLines {
  readonly #task: TaskReader;
  readonly #stream: Stream;
  #lines: LogLine[] = [];
  /** The bytes of the last line, while nothing says that it is over. */
  #open: Buffer = Buffer.alloc(0);
  #begin = 0;
  #end = 0;
  #size = 0;
  #beginsAt = 0;

  constructor(task: TaskReader, stream: Stream) {
    this.#task = task;
    this.#stream = stream;
  }

  get all(): readonly LogLine[] {
    return this.#lines;
  }

  /** Where the output continues after the lines. */
  get end(): number {
    return this.#end;
  }

  /** Bytes that the task had written at the last check. */
  get size(): number {
    return this.#size;
  }

  /** Whether the last line is the end of what is written. */
  get isAtEnd(): boolean {
    return this.#end >= this.#size;
  }

  /** Reads the end of the output. */
  async toEnd(): Promise<void> {
    const chunk = await this.#task.tail({ maxBytes: pageBytes, stream: this.#stream });
    this.#reset(chunk, chunk.offset > chunk.beginsAt);
  }

  /** Reads the lines around a byte. */
  async to(offset: number): Promise<void> {
    const from = Math.max(0, offset - pageBytes / 2);
    const chunk = await this.#read(from, pageBytes);
    this.#reset(chunk, from > 0 && chunk.offset === from && from > chunk.beginsAt);
  }

  /** Reads what comes before. @returns whether there was something. */
  async before(): Promise<boolean> {
    let end = this.#begin;
    while (end > this.#beginsAt) {
      const from = Math.max(this.#beginsAt, end - pageBytes);
      const chunk = await this.#read(from, end - from);
      // All of it was cut out of the output.
      if (chunk.offset >= end || chunk.bytes.length === 0) {
        if (chunk.omittedBytes === 0) return false;
        end = Math.min(from, chunk.offset - chunk.omittedBytes);
        continue;
      }
      const bytes = chunk.bytes.subarray(0, end - chunk.offset);
      const skipped = chunk.offset === from && from > this.#beginsAt ? firstLine(bytes) : 0;
      const { lines, rest } = split(bytes.subarray(skipped), chunk.offset + skipped);
      const gap = this.#begin - chunk.offset - bytes.length;
      const added = [
        ...lines,
        ...(rest.length > 0 ? [lineOf(rest, chunk.offset + bytes.length - rest.length)] : []),
        ...(gap > 0 ? [gapLine(gap, this.#begin - gap)] : []),
      ];
      this.#lines = [...added, ...this.#lines];
      this.#begin = chunk.offset + skipped;
      this.#dropLast();
      return true;
    }
    return false;
  }

  /** Reads what follows. @returns whether there was something. */
  async after(): Promise<boolean> {
    const chunk = await this.#read(this.#end, pageBytes);
    if (chunk.bytes.length === 0) return false;
    this.add(chunk);
    return true;
  }

  /** Takes what follows the lines. */
  add(chunk: OutputChunk): void {
    this.#size = chunk.size;
    // Another program truncated the output: nothing that was read is still in it.
    if (chunk.beginsAt > this.#beginsAt && chunk.beginsAt >= this.#end) {
      this.#reset(chunk, false);
      return;
    }
    if (chunk.offset > this.#end) this.#break(chunk.offset);
    this.#append(chunk.bytes);
    this.#end = chunk.nextOffset;
    this.#dropFirst();
  }

  async #read(offset: number, maxBytes: number): Promise<OutputChunk> {
    const chunk = await this.#task.read({ offset, maxBytes, stream: this.#stream });
    this.#size = chunk.size;
    return chunk;
  }

  /** @param isWithin a line begins before the chunk: its rest is left out. */
  #reset(chunk: OutputChunk, isWithin: boolean): void {
    const skipped = isWithin ? firstLine(chunk.bytes) : 0;
    this.#lines = [];
    this.#open = Buffer.alloc(0);
    this.#beginsAt = chunk.beginsAt;
    this.#size = chunk.size;
    this.#begin = chunk.offset + skipped;
    this.#end = this.#begin;
    this.#append(chunk.bytes.subarray(skipped));
    this.#end = chunk.nextOffset;
  }

  #append(more: Buffer): void {
    const isOpen = this.#open.length > 0;
    if (isOpen) this.#lines.pop();
    const { lines, rest } = split(Buffer.concat([this.#open, more]), this.#end - this.#open.length);
    const offset = this.#end + more.length - rest.length;
    this.#lines = [...this.#lines, ...lines, ...(rest.length > 0 ? [lineOf(rest, offset)] : [])];
    this.#open = Buffer.from(rest);
  }

  /** What comes next, at `offset`, does not follow what was there. */
  #break(offset: number): void {
    this.#open = Buffer.alloc(0);
    this.#lines = [...this.#lines, gapLine(offset - this.#end, this.#end)];
    this.#end = offset;
  }

  #dropFirst(): void {
    const least = this.#end - keptBytes;
    if (this.#begin >= least) return;
    const kept = this.#lines.findIndex(({ offset }) => offset >= least);
    this.#lines = this.#lines.slice(Math.max(0, kept));
    this.#begin = this.#lines[0]?.offset ?? this.#end;
  }

  #dropLast(): void {
    const most = this.#begin + keptBytes;
    if (this.#end <= most) return;
    const dropped = this.#lines.findIndex(({ offset }) => offset > most);
    if (dropped < 1) return;
    this.#end = this.#lines[dropped]?.offset ?? this.#end;
    this.#lines = this.#lines.slice(0, dropped);
    this.#open = Buffer.alloc(0);
  }
}

/** Where the second line begins; 0: there is none. */
function firstLine(bytes: Buffer): number {
  return bytes.indexOf(lineFeed) + 1;
}

/** The lines that end in some bytes, and what is left of the last one. */
function split(bytes: Buffer, offset: number): { lines: LogLine[]; rest: Buffer } {
  const lines: LogLine[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(lineFeed, at);
    const length = (end < 0 ? bytes.length : end) - at;
    if (end < 0 && length <= longestPiece) break;
    const pieceEnd = length > longestPiece ? characterEnd(bytes, at + longestPiece) : end;
    lines.push(lineOf(bytes.subarray(at, pieceEnd), offset + at));
    at = length > longestPiece ? pieceEnd : end + 1;
  }
  return { lines, rest: bytes.subarray(at) };
}

function lineOf(bytes: Buffer, offset: number): LogLine {
  return { offset, text: shownLine(plainText(bytes.toString('utf8')).replace(/\n/g, ' ')) };
}

function gapLine(bytes: number, offset: number): LogLine {
  return { offset, text: `[${bytes} bytes are no longer in the output]`, isNote: true };
}

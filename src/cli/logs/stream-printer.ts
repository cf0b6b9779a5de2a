import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '../../api/output.ts';
import type { TaskReader } from '../../api/task-reader.ts';
import type { OutputMark } from '../../model/marks.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { Io } from '../io.ts';
import { LossNotice, noteGap, Sink } from '../output.ts';
import { PlainLines } from '../present/plain-lines.ts';
import { marksOf, Stamps } from '../present/stamps.ts';
import { jsonLine } from '../present/task.ts';
import { beginOf, type Range, type Stream } from './begin.ts';

/** What is printed of one stream, and how. */
export interface StreamOptions extends Range {
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  readonly plain?: boolean;
}

const lineFeed = 0x0a;

/** Bytes that are read at a time. */
const stepBytes = 256 * 1024;

/** Prints one stream of a task: its bytes as they are, or with `--json` a chunk a line. */
export async function printStream(
  io: Io,
  task: TaskReader,
  stream: Stream,
  options: StreamOptions,
  abortSignal: AbortSignal,
): Promise<void> {
  const printer = new Printer(io, task, stream, options);
  let offset = await beginOf(task, stream, options);
  let left =
    options.offset === undefined ? Number.POSITIVE_INFINITY : (options.bytes ?? Number.POSITIVE_INFINITY);
  while (left > 0 && !abortSignal.aborted) {
    const chunk = await task.read({ offset, maxBytes: Math.min(left, stepBytes), stream });
    printer.notice(chunk, offset);
    if (chunk.bytes.length === 0) break;
    await printer.chunk(chunk);
    left -= chunk.bytes.length;
    offset = chunk.nextOffset;
  }
  if (options.follow && !abortSignal.aborted)
    for await (const chunk of task.follow({ offset, stream, abortSignal })) {
      printer.notice(chunk);
      await printer.chunk(chunk);
    }
  await printer.end();
  printer.close(task.snapshot());
}

/** Prints chunks in the form that was asked for. */
class Printer {
  readonly #io: Io;
  readonly #task: TaskReader;
  readonly #stream: Stream;
  readonly #plain: PlainLines | null;
  readonly #stamps: Stamps | null;
  /** Somebody waits for what comes. */
  readonly #follows: boolean;
  readonly #sink: Sink;
  readonly #losses: LossNotice;
  readonly #decoder = new StringDecoder('utf8');
  #last: OutputChunk | null = null;
  #stamp = '';

  constructor(io: Io, task: TaskReader, stream: Stream, { plain, follow, timestamps }: StreamOptions) {
    this.#io = io;
    this.#task = task;
    this.#stream = stream;
    this.#plain = plain ? new PlainLines() : null;
    this.#stamps = timestamps ? new Stamps() : null;
    this.#follows = follow === true;
    // What is read is data, whichever stream it was.
    this.#sink = new Sink(io, 'stdout');
    this.#losses = new LossNotice(io, task.id);
  }

  /**
   * Says what is not as it was expected to be.
   * @param asked the byte that was asked for.
   */
  notice(chunk: OutputChunk, asked = 0): void {
    this.#losses.see(chunk, this.#stream);
    if (chunk.size < asked)
      this.#io.note(
        `${this.#task.id} has written ${chunk.size} bytes, and you asked for byte ${asked}. If that byte was there before, another program has truncated the output. See what is there with ${this.#io.hint('logs', this.#task.id)}`,
      );
  }

  async chunk(chunk: OutputChunk): Promise<void> {
    this.#last = chunk;
    const marks = this.#stamps === null ? [] : await this.#task.marks({ stream: this.#stream });
    if (this.#io.json) {
      const text = this.#plainOf(chunk, chunk.bytes) ?? this.#decoder.write(chunk.bytes);
      await this.#io.out(this.#json(chunk, text, marksOf(chunk, marks)));
      return;
    }
    if (chunk.omittedBytes > 0) noteGap(this.#io, chunk);
    if (this.#stamps === null && this.#plain === null) return await this.#sink.write(chunk.bytes);
    const pieces = this.#stamps?.pieces(chunk, marks) ?? [{ stamp: '', bytes: chunk.bytes }];
    // Written together: there may be tens of thousands of lines in a chunk.
    if (this.#plain === null)
      return await this.#sink.write(
        Buffer.concat(
          pieces.flatMap(({ stamp, bytes }) => (stamp === '' ? bytes : [Buffer.from(stamp), bytes])),
        ),
      );
    await this.#io.out(pieces.map(({ stamp, bytes }) => this.#plainLine(chunk, bytes, stamp)).join(''));
  }

  /** A line that is shown plain is shown when it is there whole, and only then its stamp. */
  #plainLine(chunk: OutputChunk, bytes: Buffer, stamp: string): string {
    this.#stamp = stamp || this.#stamp;
    const text = this.#plainOf(chunk, bytes) ?? '';
    if (text === '') return '';
    const line = `${this.#stamp}${text}`;
    this.#stamp = '';
    return line;
  }

  /** The plain text that some bytes of a chunk bring: what may still be written over waits, but not for what may never come. */
  #plainOf(chunk: OutputChunk, bytes: Buffer): string | null {
    if (this.#plain === null) return null;
    const text = this.#plain.push(bytes);
    // With stamps each line is shown by itself: what would be written over it later has a time of its own.
    if (this.#stamps !== null) return bytes.at(-1) === lineFeed ? text + this.#plain.end() : text;
    return this.#follows && chunk.nextOffset >= chunk.size ? text + this.#plain.show() : text;
  }

  /** Says what is gone and was not said yet. */
  close(snapshot: TaskSnapshot): void {
    this.#losses.end(snapshot);
  }

  async end(): Promise<void> {
    if (this.#io.json) await this.#endJson();
    else if (this.#plain !== null) await this.#endPlain(this.#plain.end());
    else await this.#sink.end();
  }

  async #endPlain(rest: string): Promise<void> {
    if (rest !== '') await this.#io.out(`${this.#stamp}${rest}`);
  }

  /** What waited for the rest of its character or line comes in a chunk without bytes of its own. */
  async #endJson(): Promise<void> {
    const rest = (this.#plain ?? this.#decoder).end();
    if (this.#last === null || rest === '') return;
    const { nextOffset } = this.#last;
    await this.#io.out(this.#json({ ...this.#last, offset: nextOffset, omittedBytes: 0 }, rest, []));
  }

  /** A character that two chunks share comes with the second; with `--plain` so does a line. */
  #json(
    { offset, nextOffset, size, omittedBytes, beginsAt, more }: OutputChunk,
    text: string,
    marks: readonly OutputMark[],
  ): string {
    return jsonLine({
      taskId: this.#task.id,
      stream: this.#stream,
      offset,
      nextOffset,
      size,
      omittedBytes,
      beginsAt,
      more,
      ...(this.#stamps !== null && { marks }),
      text,
    });
  }
}

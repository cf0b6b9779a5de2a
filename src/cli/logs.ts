import { StringDecoder } from 'node:string_decoder';
import type { OutputChunk } from '../api/output.ts';
import type { Task } from '../api/task.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { startOfLastLines } from './last-lines.ts';
import { type CommonOptions, handleOf, sessionIdOf, withStore } from './open.ts';
import { noteGap, Sink } from './output.ts';
import { PlainLines } from './present/plain-lines.ts';
import { jsonLine } from './present/task.ts';

interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly bytes?: number;
  readonly offset?: number;
  readonly stderr?: boolean;
  readonly plain?: boolean;
}

type Stream = 'stdout' | 'stderr';

/** Bytes that are read at a time. */
const stepBytes = 256 * 1024;

/** `outlive logs`: the output of a task, or a stretch of it. */
export async function logs(
  io: Io,
  [reference = '']: readonly string[],
  options: LogsOptions,
): Promise<number> {
  checkOptions(options);
  return await withStore(options, async (store) => {
    const snapshot = store.find(reference, sessionIdOf(options));
    const stream: Stream = options.stderr ? 'stderr' : 'stdout';
    if (options.stderr && snapshot.output.stderrPath === null)
      io.note(`${snapshot.taskId} writes stdout and stderr into one file: look at its logs without --stderr`);
    const task = await handleOf(store, snapshot);
    const printer = new Printer(io, task.id, stream, options.plain === true);
    await untilInterrupted((interrupted) => print(task, stream, options, printer, interrupted));
    return exitStatus.ok;
  });
}

function checkOptions({ lines, bytes, offset, follow }: LogsOptions): void {
  const clash =
    lines !== undefined && (bytes !== undefined || offset !== undefined)
      ? '--lines together with --bytes or --offset'
      : follow && bytes !== undefined && offset !== undefined
        ? '--follow together with --bytes and --offset'
        : null;
  if (clash === null) return;
  throw new OutliveError(
    'USAGE',
    `expected one way to say what to print; found ${clash}. See: outlive help logs`,
  );
}

async function print(
  task: Task,
  stream: Stream,
  options: LogsOptions,
  printer: Printer,
  abortSignal: AbortSignal,
): Promise<void> {
  let offset = await start(task, stream, options);
  let left =
    options.offset === undefined ? Number.POSITIVE_INFINITY : (options.bytes ?? Number.POSITIVE_INFINITY);
  while (left > 0 && !abortSignal.aborted) {
    const chunk = await task.read({ offset, maxBytes: Math.min(left, stepBytes), stream });
    if (chunk.bytes.length === 0) break;
    await printer.chunk(chunk);
    left -= chunk.bytes.length;
    offset = chunk.nextOffset;
  }
  if (options.follow && !abortSignal.aborted)
    for await (const chunk of task.follow({ offset, stream, abortSignal })) await printer.chunk(chunk);
  await printer.end();
}

/** The byte to begin at. */
async function start(task: Task, stream: Stream, { offset, bytes, lines }: LogsOptions): Promise<number> {
  if (offset !== undefined) return offset;
  if (bytes !== undefined)
    return bytes === 0 ? await sizeOf(task, stream) : (await task.tail({ maxBytes: bytes, stream })).offset;
  return lines === undefined ? 0 : await startOfLastLines(task, stream, lines);
}

async function sizeOf(task: Task, stream: Stream): Promise<number> {
  return (await task.tail({ maxBytes: 1, stream })).size;
}

/** Prints chunks in the form that was asked for. */
class Printer {
  readonly #io: Io;
  readonly #taskId: string;
  readonly #stream: Stream;
  readonly #plain: PlainLines | null;
  readonly #sink: Sink;
  readonly #decoder = new StringDecoder('utf8');
  #last: OutputChunk | null = null;

  constructor(io: Io, taskId: string, stream: Stream, plain: boolean) {
    this.#io = io;
    this.#taskId = taskId;
    this.#stream = stream;
    this.#plain = plain ? new PlainLines() : null;
    // What is read is data, whichever stream it was.
    this.#sink = new Sink(io, 'stdout');
  }

  async chunk(chunk: OutputChunk): Promise<void> {
    this.#last = chunk;
    if (this.#io.json) {
      await this.#io.out(
        this.#json(chunk, this.#plain?.push(chunk.bytes) ?? this.#decoder.write(chunk.bytes)),
      );
      return;
    }
    if (chunk.omittedBytes > 0) noteGap(this.#io, chunk);
    if (this.#plain === null) await this.#sink.write(chunk.bytes);
    else await this.#io.out(this.#plain.push(chunk.bytes));
  }

  async end(): Promise<void> {
    if (this.#io.json) await this.#endJson();
    else if (this.#plain !== null) await this.#io.out(this.#plain.end());
    else await this.#sink.end();
  }

  /** What waited for the rest of its character or line comes in a chunk without bytes of its own. */
  async #endJson(): Promise<void> {
    const rest = (this.#plain ?? this.#decoder).end();
    if (this.#last === null || rest === '') return;
    const { nextOffset } = this.#last;
    await this.#io.out(this.#json({ ...this.#last, offset: nextOffset, omittedBytes: 0 }, rest));
  }

  /** A character that two chunks share comes with the second; with `--plain` so does a line. */
  #json({ offset, nextOffset, size, omittedBytes, more }: OutputChunk, text: string): string {
    return jsonLine({
      taskId: this.#taskId,
      stream: this.#stream,
      offset,
      nextOffset,
      size,
      omittedBytes,
      more,
      text,
    });
  }
}

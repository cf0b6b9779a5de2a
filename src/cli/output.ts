import type { OutputChunk } from '../api/output.ts';
import type { Task } from '../api/task.ts';
import type { Io } from './io.ts';
import { HarmlessStream } from './present/harmless.ts';
import { shownBytes } from './present/values.ts';

/** Bytes that are read at a time. */
const stepBytes = 256 * 1024;

/** Of a task that goes on, so much of its output is shown. */
const tailBytes = 64 * 1024;

type Stream = 'stdout' | 'stderr';

/** Where the output of a stream goes: as it is into a file or a pipe, without harm on a terminal. */
export class Sink {
  readonly #write: (data: string | Uint8Array) => Promise<void>;
  readonly #harmless: HarmlessStream | null;

  constructor(io: Io, stream: Stream) {
    this.#write = stream === 'stdout' ? io.out : io.err;
    const terminal = stream === 'stdout' ? io.terminal : process.stderr.isTTY === true;
    this.#harmless = terminal ? new HarmlessStream() : null;
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#write(this.#harmless === null ? bytes : this.#harmless.push(bytes));
  }

  async end(): Promise<void> {
    if (this.#harmless !== null) await this.#write(this.#harmless.end());
  }
}

/** Copies the whole output of a task that has ended. */
export async function copyAll(io: Io, task: Task, separate: boolean): Promise<void> {
  for (const stream of streamsOf(separate)) await copyStream(io, task, stream);
}

async function copyStream(io: Io, task: Task, stream: Stream): Promise<void> {
  const sink = new Sink(io, stream);
  let offset = 0;
  for (;;) {
    const chunk = await task.read({ offset, maxBytes: stepBytes, stream });
    if (chunk.bytes.length === 0) break;
    if (chunk.omittedBytes > 0) noteGap(io, chunk);
    await sink.write(chunk.bytes);
    offset = chunk.nextOffset;
  }
  await sink.end();
}

/** The end of what a task has written so far. */
export async function copyTail(io: Io, task: Task, separate: boolean): Promise<void> {
  for (const stream of streamsOf(separate)) {
    const chunk = await task.tail({ maxBytes: tailBytes, stream });
    if (chunk.omittedBytes > 0)
      io.note(
        `the first ${shownBytes(chunk.omittedBytes)} are left out; all of it: ${io.hint('logs', task.id)}`,
      );
    const sink = new Sink(io, stream);
    await sink.write(chunk.bytes);
    await sink.end();
  }
}

/** Prints the output as it grows, until the task has ended or the signal comes. */
export async function followAll(
  io: Io,
  task: Task,
  { separate, abortSignal }: { separate: boolean; abortSignal: AbortSignal },
): Promise<void> {
  await Promise.all(
    streamsOf(separate).map(async (stream) => {
      const sink = new Sink(io, stream);
      for await (const chunk of task.follow({ stream, abortSignal })) await sink.write(chunk.bytes);
      await sink.end();
    }),
  );
}

/** Says that a stretch was cut out of the output of a task that ended. */
export function noteGap(io: Io, { omittedBytes, offset }: OutputChunk): void {
  io.note(`${omittedBytes} bytes before byte ${offset} were removed after the task had ended`);
}

function streamsOf(separate: boolean): readonly Stream[] {
  return separate ? ['stdout', 'stderr'] : ['stdout'];
}

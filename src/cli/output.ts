import type { OutputChunk } from '../api/output.ts';
import type { Task } from '../api/task.ts';
import { sayErased } from '../model/erased.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Io } from './io.ts';
import { HarmlessStream } from './present/harmless.ts';
import { keepAll, lostNote } from './present/lost.ts';
import { shownBytes } from './present/values.ts';

/** Bytes that are read at a time. */
const stepBytes = 256 * 1024;

/** Of a task that goes on, so much of its output is shown. */
const tailBytes = 64 * 1024;

/** Of a long output an agent is shown so much of the beginning and of the end: more only fills its context. */
const beginningBytes = 8 * 1024;
const endBytes = 24 * 1024;

const lineBreak = 0x0a;

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

/** Which output is printed, and who says what of it is gone. */
interface Copying {
  readonly separate: boolean;
  readonly notice: LossNotice;
}

/** Copies the whole output of a task that has ended. */
export async function copyAll(io: Io, task: Task, { separate, notice }: Copying): Promise<void> {
  for (const stream of streamsOf(separate)) await copyStream(io, task, stream, notice);
}

async function copyStream(io: Io, task: Task, stream: Stream, notice: LossNotice): Promise<void> {
  const sink = new Sink(io, stream);
  let offset = 0;
  for (;;) {
    const chunk = await task.read({ offset, maxBytes: stepBytes, stream });
    notice.see(chunk, stream);
    if (chunk.bytes.length === 0) break;
    if (chunk.omittedBytes > 0) noteGap(io, chunk);
    await sink.write(chunk.bytes);
    offset = chunk.nextOffset;
  }
  await sink.end();
}

/** Copies the beginning and the end of the output of a task that has ended, and says how to get the rest. */
export async function copyEnds(io: Io, task: Task, { separate, notice }: Copying): Promise<void> {
  for (const stream of streamsOf(separate)) {
    const end = await task.tail({ maxBytes: endBytes, stream });
    if (end.size <= beginningBytes + endBytes) {
      await copyStream(io, task, stream, notice);
      continue;
    }
    const beginning = await task.read({ offset: 0, maxBytes: beginningBytes, stream });
    notice.see(beginning, stream);
    const sink = new Sink(io, stream);
    const first = beginning.bytes.subarray(0, beginning.bytes.lastIndexOf(lineBreak) + 1 || undefined);
    const last = end.bytes.subarray(end.bytes.indexOf(lineBreak) + 1);
    await sink.write(first);
    const which = stream === 'stderr' ? ' --stderr' : '';
    const left = end.size - first.length - last.length;
    await io.err(
      `outlive: [${shownBytes(left)} are left out here. All of it: ${io.hint('logs', task.id)}${which}, or: outlive run --follow]\n`,
    );
    await sink.write(last);
    await sink.end();
  }
}

/** The end of what a task has written so far. */
export async function copyTail(io: Io, task: Task, { separate, notice }: Copying): Promise<void> {
  for (const stream of streamsOf(separate)) {
    const chunk = await task.tail({ maxBytes: tailBytes, stream });
    notice.see(chunk, stream);
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
  { separate, notice, abortSignal }: Copying & { readonly abortSignal: AbortSignal },
): Promise<void> {
  await Promise.all(
    streamsOf(separate).map(async (stream) => {
      const sink = new Sink(io, stream);
      for await (const chunk of task.follow({ stream, abortSignal })) {
        notice.see(chunk, stream);
        await sink.write(chunk.bytes);
      }
      await sink.end();
    }),
  );
}

/** Says it when something of the output of a task is gone, once each time. */
export class LossNotice {
  readonly #io: Io;
  readonly #taskId: string;
  readonly #beginsAt = { stdout: 0, stderr: 0 };

  constructor(io: Io, taskId: string) {
    this.#io = io;
    this.#taskId = taskId;
  }

  /** What a chunk tells of the output before it. */
  see({ beginsAt }: OutputChunk, stream: Stream): void {
    if (beginsAt > this.#beginsAt[stream])
      this.#io.note(`${this.#taskId}: ${sayErased(beginsAt)}. ${keepAll}`);
    this.#beginsAt[stream] = beginsAt;
  }

  /** What the record tells, and nobody has met in the output. */
  end({ output }: TaskSnapshot): void {
    const isTold = this.#beginsAt.stdout + this.#beginsAt.stderr > 0;
    const lost = lostNote(output);
    if (lost !== null && (!isTold || output.droppedBytes > 0)) this.#io.note(`${this.#taskId}: ${lost}`);
  }
}

/** Says that a stretch was cut out of the output of a task that ended. */
export function noteGap(io: Io, { omittedBytes, offset }: OutputChunk): void {
  io.note(`${omittedBytes} bytes before byte ${offset} were removed after the task ended`);
}

function streamsOf(separate: boolean): readonly Stream[] {
  return separate ? ['stdout', 'stderr'] : ['stdout'];
}

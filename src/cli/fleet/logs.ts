import { OutliveError } from '../../errors/error.ts';
import type { Fleet } from '../../fleet/client/fleet.ts';
import { type FleetTask, stretchBytes } from '../../fleet/client/fleet-task.ts';
import { exitStatus } from '../exit-status.ts';
import { untilInterrupted } from '../interrupt.ts';
import type { Io } from '../io.ts';
import { Sink } from '../output.ts';
import { jsonLine } from '../present/task.ts';
import { lastSeenIn, lastSeenNote } from './last-seen.ts';

interface LogsInFleetOptions {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly offset?: number;
  readonly bytes?: number;
}

const lineFeed = 0x0a;

/** `outlive logs` of one task of a fleet. */
export async function logsInFleet(
  io: Io,
  fleet: Fleet,
  references: readonly string[],
  options: LogsInFleetOptions,
): Promise<number> {
  const [reference = '', ...others] = references;
  if (others.length > 0)
    throw new OutliveError(
      'USAGE',
      `expected one task of a fleet; found ${references.length}. Ask for one after the other.`,
    );
  const task = await fleet.task(reference);
  await orLastSeen(io, task, async () => {
    const begin = await beginOf(task, options);
    if (options.bytes !== undefined) await printStretch(io, task, begin, options.bytes);
    else if (options.follow)
      await untilInterrupted(async (interrupted) => {
        await printOutput(io, task, begin, interrupted);
      });
    else await printOutput(io, task, begin, null);
  });
  return exitStatus.ok;
}

/**
 * Prints the output. When the host does not answer, prints the last end of the output that is known, and throws.
 * @throws OutliveError `HOST_UNREACHABLE`: what was printed is not the whole output.
 */
async function orLastSeen(io: Io, task: FleetTask, print: () => Promise<void>): Promise<void> {
  try {
    await print();
  } catch (error) {
    const seen = lastSeenIn(error);
    if (seen === null) throw error;
    const { tail, outputBytes, agoMs } = seen;
    if (io.json)
      await io.out(jsonLine({ task: task.reference, text: tail, lastSeen: { outputBytes, agoMs } }));
    else await io.out(tail === '' || tail.endsWith('\n') ? tail : `${tail}\n`);
    io.note(lastSeenNote(task.host, seen));
    throw error;
  }
}

/**
 * Prints the output from an offset on.
 * @param abortSignal follows it until it ends or this aborts; `null`: prints what there is.
 */
export async function printOutput(
  io: Io,
  task: FleetTask,
  offset: number,
  abortSignal: AbortSignal | null,
): Promise<void> {
  if (abortSignal === null) {
    await printStretch(io, task, offset, Number.POSITIVE_INFINITY);
    return;
  }
  const printer = new Printer(io, task);
  try {
    for await (const piece of task.follow({ offset, abortSignal }))
      await printer.print(piece.offset, piece.bytes);
  } catch (error) {
    if (!abortSignal.aborted || error !== abortSignal.reason) throw error;
  }
  await printer.end();
}

async function printStretch(io: Io, task: FleetTask, offset: number, bytes: number): Promise<void> {
  const printer = new Printer(io, task);
  let at = offset;
  for (let left = bytes; left > 0; ) {
    const stretch = await task.read({ offset: at, maxBytes: Math.min(left, stretchBytes) });
    if (stretch.bytes.length === 0) break;
    await printer.print(stretch.offset, stretch.bytes);
    left -= stretch.bytes.length;
    at = stretch.nextOffset;
  }
  await printer.end();
}

/** Where the last lines begin, or what was asked for; without a word, at the beginning. */
async function beginOf(task: FleetTask, { offset, lines, bytes }: LogsInFleetOptions): Promise<number> {
  if (offset !== undefined || (lines === undefined && bytes === undefined)) return offset ?? 0;
  const { size } = await task.read({ offset: 0, maxBytes: 1 });
  if (lines === undefined) return Math.max(0, size - (bytes ?? 0));
  let [at, found] = [size, 0];
  while (at > 0) {
    const from = Math.max(0, at - stretchBytes);
    const { bytes: read } = await task.read({ offset: from, maxBytes: at - from });
    for (let index = read.length - 1; index >= 0; index -= 1) {
      // The one at the very end begins no line.
      if (read[index] !== lineFeed || from + index === size - 1) continue;
      found += 1;
      if (found === lines) return from + index + 1;
    }
    at = from;
  }
  return lines === 0 ? size : 0;
}

/** Prints pieces in the form that was asked for. */
class Printer {
  readonly #io: Io;
  readonly #task: FleetTask;
  readonly #sink: Sink;

  constructor(io: Io, task: FleetTask) {
    this.#io = io;
    this.#task = task;
    this.#sink = new Sink(io, 'stdout');
  }

  async print(offset: number, bytes: Buffer): Promise<void> {
    if (!this.#io.json) await this.#sink.write(bytes);
    else await this.#io.out(jsonLine({ task: this.#task.reference, offset, text: bytes.toString('utf8') }));
  }

  async end(): Promise<void> {
    if (!this.#io.json) await this.#sink.end();
  }
}

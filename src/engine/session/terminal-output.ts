import { OutliveError, taskNotFound } from '../../errors/error.ts';
import type { Facts } from '../../model/fold.ts';
import { lookAtOutput, type OutputFile, readOutput } from '../../tasklog/output.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { readSizes } from '../../tasklog/sizes.ts';
import type { TerminalOutput } from '../../terminal/open-screen.ts';
import type { SessionContext } from './context.ts';
import { type Observed, observe } from './observe.ts';
import { readableOutput } from './output-file.ts';

const pieceBytes = 65_536;

/** What a task has written to its terminal, and what is known of it. */
export interface TaskTerminal {
  readonly output: TerminalOutput;
  readonly observed: Observed;
}

/**
 * What a task has written to its terminal until now, from its files.
 * @throws OutliveError `TASK_NOT_FOUND`, `NO_TERMINAL`.
 */
export function terminalOutput(context: SessionContext, taskId: string): TaskTerminal {
  const observed = observe(context, taskId);
  if (observed === null) throw taskNotFound(context.sessionId, taskId);
  const file = terminalFile(context, taskId, observed.facts);
  const { size: end, beginsAt } = lookAtOutput(file);
  const output: TerminalOutput = {
    size: terminalSize(taskId, observed.facts),
    resizes: readSizes(taskPaths(context.paths, taskId).sizes),
    firstByte: file.cut?.tail ?? beginsAt,
    end,
    read: (from, to) => readPieces(file, from, to),
  };
  return { output, observed };
}

function terminalSize(taskId: string, { spec }: Facts): TerminalOutput['size'] {
  if (spec?.tty !== undefined) return spec.tty;
  throw new OutliveError(
    'NO_TERMINAL',
    `expected task ${taskId} to have a terminal; found that it has none. Read its output instead, or spawn it with a tty (--tty).`,
    { details: { taskId } },
  );
}

function terminalFile(context: SessionContext, taskId: string, facts: Facts): OutputFile {
  return readableOutput(context, taskId, 'stdout', facts);
}

/** The bytes from one offset up to another, as far as they are there. */
async function* readPieces(
  file: OutputFile,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let at = from; at < to; ) {
    const { bytes, offset, nextOffset } = readOutput(file, at, Math.min(pieceBytes, to - at));
    if (bytes.length === 0 || nextOffset <= at) return;
    yield offset + bytes.length > to ? bytes.subarray(0, to - offset) : bytes;
    at = nextOffset;
  }
}

/** What a terminal has written between two offsets, read from the file. */
export function readBetween(
  context: SessionContext,
  taskId: string,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, undefined> {
  const facts = observe(context, taskId)?.facts;
  if (facts === undefined) throw taskNotFound(context.sessionId, taskId);
  return readPieces(terminalFile(context, taskId, facts), from, to);
}

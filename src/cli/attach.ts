import { OutliveError } from '../errors/error.ts';
import { isEnded } from '../model/words.ts';
import { acknowledgePrinted } from './acknowledge.ts';
import { attachHere } from './attach-here.ts';
import { exitStatus, statusOfTask } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findOne, handleOf, withStoreToWait } from './open.ts';
import { headline } from './present/task.ts';

interface AttachVerbOptions extends CommonOptions {
  readonly readOnly?: boolean;
  readonly detachKey?: readonly string[];
}

/** `outlive attach`: a person's terminal becomes that of a task, until they leave or the task ends. */
export async function attach(
  io: Io,
  [reference = '']: readonly string[],
  options: AttachVerbOptions,
): Promise<number> {
  const { readOnly = false, detachKey: detachKeys } = options;
  checkTerminal();
  return await withStoreToWait(options, async (store) => {
    const task = await handleOf(store, findOne(io, store, reference, options));
    const end = await attachHere(task, { readOnly, ...(detachKeys !== undefined && { detachKeys }) });
    if (end === 'left') {
      io.note(`detached from ${task.id}: it keeps running. Attach again with: ${io.hint('attach', task.id)}`);
      return exitStatus.ok;
    }
    if (end === 'displaced') {
      noteDisplaced(io, task.id);
      return exitStatus.stillRunning;
    }
    const snapshot = await task.wait({ ack: false });
    await io.err(`${headline(snapshot, io)}\n`);
    if (!isEnded(snapshot.status)) return exitStatus.stillRunning;
    await acknowledgePrinted(io, store, snapshot, options);
    return statusOfTask(snapshot);
  });
}

/** Says that others have taken the place of this terminal. */
export function noteDisplaced(io: Io, reference: string): void {
  io.note(
    `${reference} keeps running, but another viewer has your place at its terminal: there are eight places, and yours was idle the longest. Attach again with: ${io.hint('attach', reference)}`,
  );
}

/** @throws OutliveError `USAGE` where no person is at a terminal. */
export function checkTerminal(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return;
  throw new OutliveError(
    'USAGE',
    'expected stdin and stdout to be a terminal; found that they are not. To type from a program, use: outlive send; to see the screen: outlive screen',
  );
}

import type { Fleet } from '../../fleet/client/fleet.ts';
import { checkTerminal, noteDisplaced } from '../attach.ts';
import { attachHere } from '../attach-here.ts';
import { exitStatus } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { jsonLine } from '../present/task.ts';
import { screenText } from '../screen.ts';
import { terminalSize } from '../values.ts';
import { isOver, remoteHeadline, statusOf } from './remote-task.ts';

/** A host has seen the end of a command before the coordinator knows it, in milliseconds. */
const endMs = 5_000;

/** `outlive screen` of a task of a fleet. */
export async function screenInFleet(
  io: Io,
  fleet: Fleet,
  [reference = '']: readonly string[],
): Promise<number> {
  const task = await fleet.task(reference);
  const shown = await task.screen();
  await io.out(io.json ? jsonLine({ task: task.reference, ...shown }) : screenText(shown.lines));
  return exitStatus.ok;
}

/** `outlive resize` of a task of a fleet. Nothing is printed. */
export async function resizeInFleet(
  _io: Io,
  fleet: Fleet,
  [reference = '', size = '']: readonly string[],
): Promise<number> {
  const wanted = terminalSize(size);
  await (await fleet.task(reference)).resize(wanted);
  return exitStatus.ok;
}

/** `outlive attach` to a task of a fleet: a person's terminal becomes that of the task, until they leave or the task ends. */
export async function attachInFleet(
  io: Io,
  fleet: Fleet,
  [reference = '']: readonly string[],
  {
    readOnly = false,
    detachKey: detachKeys,
  }: { readonly readOnly?: boolean; readonly detachKey?: readonly string[] },
): Promise<number> {
  checkTerminal();
  const task = await fleet.task(reference);
  const end = await attachHere(task, { readOnly, ...(detachKeys !== undefined && { detachKeys }) });
  if (end === 'left') {
    io.note(
      `detached from ${task.reference}: it keeps running. Attach again with: ${io.hint('attach', task.reference)}`,
    );
    return exitStatus.ok;
  }
  if (end === 'displaced') {
    noteDisplaced(io, task.reference);
    return exitStatus.stillRunning;
  }
  const ended = (await task.wait({ timeoutMs: endMs })) ?? task.known;
  await io.err(`${remoteHeadline(ended, io)}\n`);
  return isOver(ended) ? statusOf(ended) : exitStatus.stillRunning;
}

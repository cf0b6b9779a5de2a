import { isFinal, type RemoteTask } from '../../fleet/wire/operations.ts';
import type { TaskStatus } from '../../model/words.ts';
import { commandOf } from '../../util/quote.ts';
import { visible } from '../../util/visible.ts';
import { exitStatus, statusOfTask } from '../exit-status.ts';
import type { Io } from '../io.ts';
import { shownStatus } from '../present/values.ts';

/** What a task of the fleet is, in one word: the state of its assignment, or how it has ended. */
function fateOf({ state, next, end }: RemoteTask): string {
  switch (state) {
    case 'assigned':
      return 'waiting';
    case 'accepted':
      return 'running';
    case 'ended':
    case 'delivered':
      return end?.status ?? 'ended';
    case 'revoked':
      return next === null ? 'revoked' : 'waiting';
    case 'unknown':
      return 'unknown';
  }
}

/** Its name in the fleet. */
export function referenceOf({ host, task }: RemoteTask): string {
  return `${host}/${task}`;
}

/** Whether the task has ended, will never start, or is on a lost host. */
export function isOver(task: RemoteTask): boolean {
  return isFinal(task) || task.state === 'unknown';
}

/** The exit status that stands for it. */
export function statusOf(task: RemoteTask): number {
  const { state, end } = task;
  // It may run, or have run: nobody can say.
  if (state === 'unknown') return exitStatus.outOfReach;
  if (state === 'revoked' && isFinal(task)) return exitStatus.failed;
  if (end === null) return exitStatus.stillRunning;
  return statusOfTask({ status: end.status, exitCode: end.exitCode, exitSignal: end.signal });
}

/** Its command as a shell takes it. */
export function commandLineOf({ spec }: RemoteTask): string {
  return typeof spec.command === 'string' ? spec.command : commandOf(spec.command);
}

/** A task in one line: how it is or ended, what it is. */
export function remoteHeadline(task: RemoteTask, io: Pick<Io, 'colours'>): string {
  const { spec, end, attempt, reason } = task;
  const details = [
    paintedFate(task, io),
    ...(end?.exitCode == null ? [] : [`exit ${end.exitCode}`]),
    ...(end?.signal == null ? [] : [visible(end.signal)]),
    ...(attempt === 1 ? [] : [`attempt ${attempt}`]),
    ...(reason === null ? [] : [visible(reason)]),
  ];
  const title = spec.name === null ? '' : `${visible(spec.name)}: `;
  return `${io.colours.bold(referenceOf(task))} ${details.join(', ')}: ${title}${visible(commandLineOf(task))}`;
}

/** What it is in one word, in the colour that people expect. */
export function paintedFate(task: RemoteTask, { colours }: Pick<Io, 'colours'>): string {
  const fate = fateOf(task);
  if (fate === 'waiting') return colours.dim(fate);
  if (fate === 'unknown' || fate === 'revoked') return colours.magenta(fate);
  return shownStatus(fate as TaskStatus, colours);
}

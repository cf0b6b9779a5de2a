import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { Io } from '../io.ts';
import { previewLines } from './preview.ts';
import { visible } from './text.ts';
import { shownBytes, shownDuration, shownStatus } from './values.ts';

/** What JSON leaves as it is, and a terminal acts on or does not show. */
const unescaped = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;

/** One JSON object on one line, which does a terminal no harm and means the same. */
export function jsonLine(data: unknown): string {
  const asEscape = (character: string): string =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('');
  return `${JSON.stringify(data).replace(unescaped, asEscape)}\n`;
}

/** A task in one line: how it is or ended, how long it took, what it is. */
export function headline(snapshot: TaskSnapshot, io: Io): string {
  const { taskId, name, command, status, durationMs } = snapshot;
  const fate = [shownStatus(status, io.colours), ...detailsOf(snapshot)].join(', ');
  const time = durationMs === null ? '' : ` after ${shownDuration(durationMs)}`;
  const title = name === null ? '' : `${visible(name)}: `;
  return `${io.colours.bold(taskId)} ${fate}${time}: ${title}${visible(command)}`;
}

function detailsOf({ status, statusReason, exitCode, killSignal }: TaskSnapshot): string[] {
  const details: string[] = [];
  if (statusReason !== null && statusReason !== reasonOfStatus[status]) details.push(visible(statusReason));
  if (exitCode !== null) details.push(`exit ${exitCode}`);
  if (killSignal !== null) details.push(visible(killSignal));
  return details;
}

/** What the status says already. */
const reasonOfStatus: Readonly<Record<string, string>> = { killed: 'kill', timed_out: 'timeout' };

/** A completion as people and agents read it: the headline, what it left running, its last words. */
export function completionText(snapshot: TaskSnapshot, io: Io): string {
  const { output, leftovers, pipeStatus, statusReason, taskId } = snapshot;
  const lines = [headline(snapshot, io)];
  if (statusReason === 'hidden_failure')
    lines.push(`  a part of its pipeline failed: ${pipeStatus?.join(' ')}`);
  for (const { pid, command } of leftovers) lines.push(`  left running: ${pid} ${visible(command)}`);
  const shown = previewLines(output.preview);
  lines.push(...shown.map((line) => `  | ${line}`));
  if (output.truncated)
    lines.push(`  the end of ${shownBytes(output.bytes)} of output; all of it: ${io.hint('logs', taskId)}`);
  return `${lines.join('\n')}\n`;
}

/** What somebody who ran a command in the foreground must know beside its output and exit status; often nothing. */
export function remarks(
  { taskId, status, statusReason, leftovers, pipeStatus }: TaskSnapshot,
  io: Io,
): string[] {
  const notes: string[] = [];
  if (isEnded(status) && status !== 'completed' && status !== 'failed') {
    const reason =
      statusReason === null || statusReason === reasonOfStatus[status] ? '' : ` (${visible(statusReason)})`;
    notes.push(`${taskId} ended as ${status}${reason}`);
  }
  if (statusReason === 'spawn_aborted') notes.push(`${taskId} was never started`);
  if (statusReason === 'hidden_failure')
    notes.push(`${taskId} ended with 0, but a part of its pipeline failed: ${pipeStatus?.join(' ')}`);
  if (leftovers.length > 0) {
    const list = leftovers.map(({ pid, command }) => `${pid} ${visible(command)}`).join('; ');
    notes.push(`${taskId} left processes running: ${list}. Stop them with: ${io.hint('kill', taskId)}`);
  }
  return notes;
}

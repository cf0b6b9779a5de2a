import { sayHowLong, type TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { visible } from '../../util/visible.ts';
import type { Io } from '../io.ts';
import { lostNote } from './lost.ts';
import { previewLines } from './preview.ts';
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

/**
 * A task in one line: how it is or ended, how long it took, what it is.
 * @param verb what stands between the id and that.
 */
export function headline(snapshot: TaskSnapshot, io: Pick<Io, 'colours'>, verb = ''): string {
  const { taskId, name, command, status, durationMs } = snapshot;
  const fate = [shownStatus(status, io.colours), ...detailsOf(snapshot)].join(', ');
  const howLong = sayHowLong(snapshot, shownDuration);
  const time = howLong === '' ? '' : `${durationMs === null ? ',' : ''} ${howLong}`;
  const title = name === null ? '' : `${visible(name)}: `;
  return `${io.colours.bold(taskId)} ${verb}${fate}${time}: ${title}${visible(command)}`;
}

function detailsOf({ status, statusReason, exitCode, exitSignal }: TaskSnapshot): string[] {
  const details: string[] = [];
  if (statusReason !== null && statusReason !== reasonOfStatus[status]) details.push(visible(statusReason));
  if (exitCode !== null) details.push(`exit ${exitCode}`);
  if (exitSignal !== null) details.push(visible(exitSignal));
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
  if (statusReason === 'dependency_failed')
    lines.push(`  not run, since ${snapshot.after} has not completed`);
  for (const { pid, command } of leftovers) lines.push(`  left running: ${pid} ${visible(command)}`);
  if (statusReason === 'replaced' && !snapshot.delivered)
    lines.push(
      `  stopped so that another task could replace it, but no task has. Run it again: ${io.hint('restart', taskId)}`,
    );
  const lost = lostNote(output);
  if (lost !== null) lines.push(`  ${lost}`);
  const shown = previewLines(output.preview);
  lines.push(...shown.map((line) => `  | ${line}`));
  if (output.truncated)
    lines.push(`  the end of ${shownBytes(output.bytes)} of output; all of it: ${io.hint('logs', taskId)}`);
  return `${lines.join('\n')}\n`;
}

const limitsMet = {
  memory_limit: 'the kernel killed some of its processes, because they used up --memory',
  cpu_limit: 'one of its processes used up --cpu-time',
} as const;

/** What somebody who ran a command in the foreground must know beside its output and exit status; often nothing. */
export function remarks(snapshot: TaskSnapshot, io: Io): string[] {
  const { taskId, status, statusReason, spawnError, leftovers, pipeStatus, after } = snapshot;
  const notes: string[] = [];
  if (isEnded(status) && status !== 'completed' && status !== 'failed') {
    const reason =
      statusReason === null || statusReason === reasonOfStatus[status] ? '' : ` (${visible(statusReason)})`;
    notes.push(`${taskId} ended as ${status}${reason}`);
  }
  if (statusReason === 'memory_limit' || statusReason === 'cpu_limit')
    notes.push(`${taskId} reached a limit: ${limitsMet[statusReason]}`);
  if (statusReason === 'spawn_aborted')
    notes.push(`${taskId} was never started${spawnError === null ? '' : `: ${spawnError}`}`);
  if (statusReason === 'dependency_failed')
    notes.push(`${taskId} was not run: ${after} has not completed. See: ${io.hint('show', after ?? '')}`);
  if (statusReason === 'hidden_failure')
    notes.push(`${taskId} ended with 0, but a part of its pipeline failed: ${pipeStatus?.join(' ')}`);
  if (leftovers.length > 0) {
    const list = leftovers.map(({ pid, command }) => `${pid} ${visible(command)}`).join('; ');
    notes.push(`${taskId} left processes running: ${list}. Stop them with: ${io.hint('kill', taskId)}`);
  }
  return notes;
}

import type { TaskUsage } from '../../api/usage.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { Io } from '../io.ts';
import { visible } from './text.ts';
import { shownBytes, shownDuration, shownStatus } from './values.ts';

/** Which columns there are. */
export interface Columns {
  /** Of which session each task is. */
  readonly allSessions?: boolean;
}

/** The names of the columns. */
export function headingOf({ allSessions }: Columns): string[] {
  const session = allSessions ? ['SESSION'] : [];
  return ['TASK', ...session, 'NAME', 'STATUS', 'AGE', 'TIME', 'CPU', 'MEMORY', 'OUTPUT', 'COMMAND'];
}

/** What they hold for one task, as soon as it is known what its processes use. */
export function rowOf(
  io: Io,
  task: TaskSnapshot,
  { allSessions }: Columns,
): (usage: TaskUsage | undefined) => string[] {
  const { taskId, sessionId, name, status, createdAt, durationMs, output, command } = task;
  const before = [
    taskId,
    ...(allSessions ? [visible(sessionId)] : []),
    visible(name ?? '-'),
    `${shownStatus(status, io.colours)}${suffixOf(task)}`,
    shownDuration(Math.max(0, Date.now() - createdAt)),
    shownDuration(durationMs) || '-',
  ];
  const behind = [shownBytes(output.bytes), visible(command)];
  return (usage) => [
    ...before,
    usage === undefined ? '-' : `${usage.cpuPercent.toFixed(0)}%`,
    usage === undefined ? '-' : shownBytes(usage.memoryBytes),
    ...behind,
  ];
}

/** What the status does not say: the exit code, or that the process is stopped, or elsewhere, or left something running. */
function suffixOf({ status, exitCode, statusReason: reason, leftovers }: TaskSnapshot): string {
  const statusReason = reason === null ? null : visible(reason);
  const left = leftovers.length > 0 ? ` +${leftovers.length} left` : '';
  if (status === 'failed') return ` ${exitCode ?? statusReason ?? ''}${left}`;
  if (status === 'completed' && statusReason !== null) return ` ${statusReason}${left}`;
  return isEnded(status) || statusReason === null ? left : ` ${statusReason}`;
}

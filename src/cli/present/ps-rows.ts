import { sep } from 'node:path';
import type { ListeningPort } from '../../engine/processes/listening.ts';
import type { TaskUsage } from '../../engine/processes/usage.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import { homeFolderIfAny } from '../../platform/home-folder.ts';
import { visible } from '../../util/visible.ts';
import type { Io } from '../io.ts';
import { type Column, none } from './table.ts';
import { shownBytes, shownDay, shownDuration, shownStatus, shownTime } from './values.ts';

/** Which columns there are. */
export interface Columns {
  /** Of which session each task is. */
  readonly allSessions: boolean;
  /** When each task was made, instead of how long ago. */
  readonly dates: boolean;
}

/** What is known of the processes of a task. */
export interface Processes {
  readonly usage: TaskUsage | undefined;
  readonly ports: readonly ListeningPort[] | undefined;
}

/** More ports of one task are counted. */
const mostPorts = 3;

/** The columns, and which of them are left out first where there is no room. */
export function columnsOf({ allSessions, dates }: Columns): Column[] {
  return [
    { heading: 'TASK' },
    ...(allSessions ? [{ heading: 'SESSION', rank: 9, least: 8 }] : []),
    { heading: 'NAME', rank: 8, least: 10 },
    { heading: 'STATUS', rank: 11, least: 9 },
    { heading: dates ? 'CREATED' : 'AGE', rank: 6 },
    { heading: 'TIME', rank: 5 },
    { heading: 'CPU', rank: 3, mayBeEmpty: true },
    { heading: 'MEMORY', rank: 4, mayBeEmpty: true },
    { heading: 'OUTPUT', rank: 2 },
    { heading: 'PORTS', rank: 7, mayBeEmpty: true },
    { heading: 'FOLDER', rank: 1, least: 16, keepsEnd: true },
    { heading: 'COMMAND', rank: 10, least: 20 },
  ];
}

/** What they hold for one task, as soon as it is known what its processes do. */
export function rowOf(
  io: Io,
  task: TaskSnapshot,
  { allSessions, dates }: Columns,
): (processes: Processes) => string[] {
  const { taskId, sessionId, name, status, createdAt, output, command, cwd } = task;
  const before = [
    taskId,
    ...(allSessions ? [visible(sessionId)] : []),
    visible(name ?? none),
    `${shownStatus(status, io.colours)}${suffixOf(task)}`,
    dates ? shownDate(io, createdAt) : shownDuration(Math.max(0, Date.now() - createdAt)),
    shownTimeOf(task),
  ];
  const behind = [visible(io.terminal ? fromHome(cwd) : cwd), visible(command)];
  return ({ usage, ports = [] }) => [
    ...before,
    usage === undefined ? none : `${usage.cpuPercent.toFixed(0)}%`,
    usage === undefined ? none : shownBytes(usage.memoryBytes),
    shownBytes(output.bytes),
    shownPorts(ports),
    ...behind,
  ];
}

/** On a terminal a short one. */
function shownDate(io: Io, epochMs: number): string {
  return io.terminal ? shownDay(epochMs) : shownTime(epochMs).slice(0, 16);
}

function shownPorts(ports: readonly ListeningPort[]): string {
  const numbers = [...new Set(ports.map(({ port }) => port))];
  if (numbers.length === 0) return none;
  const more = numbers.length > mostPorts ? `+${numbers.length - mostPorts}` : '';
  return `${numbers.slice(0, mostPorts).join(',')}${more}`;
}

/** A folder as people write it who are at home. */
function fromHome(folder: string): string {
  const home = homeFolderIfAny();
  return home !== null && (folder === home || folder.startsWith(home + sep))
    ? `~${folder.slice(home.length)}`
    : folder;
}
/** How long it ran; if nobody saw its end, how long it ran at least. */
function shownTimeOf({ durationMs, startedAt, lastSeenAt }: TaskSnapshot): string {
  if (durationMs !== null) return shownDuration(durationMs);
  return startedAt === null || lastSeenAt === null
    ? none
    : `${shownDuration(Math.max(0, lastSeenAt - startedAt))}+`;
}

/**
 * What the status does not say: the exit code, or that the process is stopped, or elsewhere, or left something running, or
 * that the record is damaged.
 */
function suffixOf({ status, exitCode, statusReason: reason, leftovers, damaged }: TaskSnapshot): string {
  const statusReason = reason === null ? null : visible(reason);
  const left = `${leftovers.length > 0 ? ` +${leftovers.length} left` : ''}${damaged ? ' damaged' : ''}`;
  if (status === 'failed') return ` ${exitCode ?? statusReason ?? ''}${left}`;
  if (status === 'completed' && statusReason !== null) return ` ${statusReason}${left}`;
  return isEnded(status) || statusReason === null ? left : ` ${statusReason}${left}`;
}

import { type Stats, statSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { type Facts, shimOf } from '../../model/fold.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { pidExists } from '../../platform/identity.ts';
import type { MeasuredTask } from '../processes/usage-sampler.ts';
import { passing } from '../session/background.ts';
import type { Observed } from '../session/observe.ts';

/** What is kept of a task that is watched. */
export interface Known {
  /** What was told of it last, but for what changes with time alone; `null`: nothing. */
  told: string | null;
  readonly isLive: boolean;
  /** Its log was put away: nothing happens to it but its removal. */
  readonly isPutAway: boolean;
  /** The shim of a live task, if this process must check it. */
  readonly shimPid: number | null;
  /** Only a check shows what happens to it: its shim has not reported yet. */
  readonly isStarting: boolean;
  /** A task that may have processes here. */
  readonly measured: MeasuredTask | null;
  readonly isSuspended: boolean;
  readonly outputs: readonly string[];
  readonly written: number;
  /** Size and time of its log. */
  readonly log: string;
}

/** What to keep of a task that was just checked. Nothing of it counts as told. */
export function knownOf(task: TaskSnapshot, observed: Observed): Known {
  const { facts, decision, away, bytes, modifiedAt, isPutAway } = observed;
  const { path, stderrPath, bytes: written } = task.output;
  const isLive = decision.state === 'live';
  const isHere = isLive && away === null;
  const shimPid = shimOf(facts)?.pid ?? null;
  return {
    told: null,
    isLive,
    isPutAway,
    shimPid: isHere ? shimPid : null,
    isStarting: isHere && shimPid === null,
    measured: away === null && (isLive || task.leftovers.length > 0) ? measuredTask(task, facts) : null,
    isSuspended: task.statusReason === 'suspended',
    outputs: stderrPath === null ? [path] : [path, stderrPath],
    written,
    log: logState(bytes, modifiedAt),
  };
}

function measuredTask({ taskId }: TaskSnapshot, facts: Facts): MeasuredTask | null {
  const [shim, cookie] = [shimOf(facts), facts.spec?.cookie];
  if (shim === undefined || cookie === undefined) return null;
  return { taskId, cookie, shimPid: shim.pid, shimStart: shim.start };
}

/** Whether something has happened to a task that its log does not have: its shim is gone, or its output has grown. */
export function mayHaveChanged(
  { isLive, shimPid, isStarting, outputs, written }: Known,
  previewBytes: number,
): boolean {
  if (!isLive) return false;
  if (isStarting || (shimPid !== null && !pidExists(shimPid))) return true;
  return previewBytes > 0 && sizeOf(outputs) !== written;
}

/** Size and time of a log now, as {@link Known.log} has them. */
export function logStateNow(path: string): string {
  const stat = statOf(path);
  return stat === null ? '' : logState(stat.size, stat.mtimeMs);
}

function logState(bytes: number, modifiedAt: number): string {
  return `${bytes} ${modifiedAt}`;
}

/** What is told of a task, without what time alone changes. Output counts where it is shown. */
export function textOf(task: TaskSnapshot, previewBytes: number): string {
  const { durationMs, lastSeenAt, output, ...rest } = task;
  return JSON.stringify(previewBytes > 0 ? { ...rest, output } : rest);
}

function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statOf(path)?.size ?? 0), 0);
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    // A check of the task follows, and reads again what cannot be read now.
    tolerate(error, passing, 'checking a file of a task');
    return null;
  }
}

import { visible } from '../../util/visible.ts';
import type { TaskRow } from '../protocol.ts';
import { shownDuration } from '../shown.ts';
import { isLive } from './filter.ts';

/** The name of a task, else its command, with invisible characters made visible. */
export function titleOf({ name, command }: TaskRow): string {
  return visible(name ?? command);
}

/** How long it has run, or ran. */
export function durationOf(row: TaskRow, now: number): string {
  const { startedAt, endedAt } = row;
  if (startedAt === null) return '';
  if (!isLive(row)) return endedAt === null ? '' : shownDuration(Math.max(0, endedAt - startedAt));
  const seconds = Math.max(0, Math.floor((now - startedAt) / 1000));
  return shownDuration(seconds * 1000);
}

/** How long ago something was. */
export function agoOf(time: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - time) / 1000));
  if (seconds < 60) return `${seconds}s ago`;
  return `${shownDuration(Math.floor(seconds / 60) * 60_000)} ago`;
}

/** The last two parts of a folder. */
export function shortFolder(cwd: string): string {
  const parts = cwd.split(/[\\/]/).filter((part) => part !== '');
  return visible(parts.length > 2 ? `…/${parts.slice(-2).join('/')}` : cwd);
}

import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Io } from './io.ts';
import type { None } from './values.ts';

/** What is meant to stay: a word of its own, or of the name of a file. */
const servers =
  /(?:^|[\s/:;&|.-])(?:serve|server|runserver|dev|watch|start|preview|vite|nodemon|uvicorn|gunicorn)(?:$|[\s;&|=.])|\bflask run\b|\bphp -S\b/;

/** What ends with its stdin. */
const watchers = /(?:^|\s)(?:--watch|-w)(?:$|[\s=;&|])/;

interface Said {
  readonly timeout?: number | None;
  readonly stdin?: boolean;
  readonly tty?: boolean;
}

/** What a person who starts a command in the background may not think of. */
export function hintsOnTerminal(command: string, { timeout, stdin, tty }: Said): string[] {
  if (process.stderr.isTTY !== true) return [];
  const hints: string[] = [];
  if (timeout === undefined && servers.test(command))
    hints.push('outlive stops it after 30 minutes. For a server: -t none');
  if (stdin !== true && tty !== true && watchers.test(command))
    hints.push('its stdin is empty: some programs that watch files then end. Keep them with: --stdin');
  return hints;
}

/** Says which limits are not enforced. */
export function noteUnheld(io: Io, { taskId, limits }: TaskSnapshot): void {
  for (const { limit, by } of limits)
    if (by === 'nothing')
      io.note(
        `${taskId}: nothing enforces ${flags[limit]}, since the system exempts root and there is no cgroup`,
      );
}

const flags: Readonly<Record<string, string>> = {
  memoryBytes: '--memory',
  cpuSeconds: '--cpu-time',
  processes: '--processes',
  niceness: '--nice',
};

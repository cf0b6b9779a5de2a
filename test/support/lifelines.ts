import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { processes, waitFor } from './world.ts';

/**
 * Removes what a process left that died while it made its lifeline: a pipe, which would be swept when it is a
 * minute old. A `mkfifo` that still runs comes first. A store that only the dead process had mounted is not there.
 */
export async function removeUnfinishedPipes(dir: string): Promise<void> {
  await untilPipesAreMade(dir);
  const names = existsSync(dir) ? readdirSync(dir) : [];
  for (const name of names) if (name.startsWith('lifeline-')) rmSync(join(dir, name), { force: true });
}

/** Waits until no `mkfifo` runs for a store: it may outlive the process that started it. */
export async function untilPipesAreMade(dir: string): Promise<void> {
  await waitFor(() => !processes().some((pid) => makesPipe(pid, dir)), 'mkfifo to end');
}

function makesPipe(pid: number, dir: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`mkfifo\0-m\x00600\0${dir}/`);
  } catch {
    return false;
  }
}

import { spawnSync } from 'node:child_process';
import type { Task } from '../../src/index.ts';

/** What a test allows a program to take. */
const timeoutMs = 20_000;

/** Waits until the screen of a task shows something. */
export async function untilShows(task: Task, screen: string | RegExp): Promise<void> {
  const { cause } = await task.waitFor({ screen, timeoutMs });
  if (cause === 'screen') return;
  const { lines } = await task.screen();
  throw new Error(
    `waited for the screen to show ${screen}; found ${cause}, and it shows:\n${lines.join('\n')}`,
  );
}

/** A word for a test's option `skip`: which of some programs is missing; false: none is. */
export function withoutProgram(...names: string[]): string | false {
  const missing = names.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  return missing.length > 0 && `there is no ${missing.join(', no ')}`;
}

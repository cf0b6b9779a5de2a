import { spawnSync } from 'node:child_process';
import { tolerate } from '../../errors/expected.ts';
import type { FileIdentity } from '../../model/words.ts';
import { unavailable } from '../../shim/ask.ts';
import { shimFinder } from '../../shim/program.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { SessionContext } from './context.ts';

/** What the program of the shim answers by its exit status; see native/src/shim.h. */
const answers: Readonly<Record<number, boolean>> = { 10: true, 11: false };

/** An answer is good for this long: asking starts a process. */
const againMs = 1_000;

/** It takes some milliseconds. */
const waitsMs = 2_000;

/** How many answers it keeps. */
const most = 1_000;

const known = new Map<string, { readonly isHeld: boolean | null; readonly at: number }>();

/**
 * Whether the shim of a task lives, wherever it is on this machine: it holds the log. Only the kernel can say so of a shim
 * in another container, and only to a program that asks in a way that Node does not know.
 * @returns null where that cannot be told.
 */
export function isHeld(context: SessionContext, taskId: string, { dev, ino }: FileIdentity): boolean | null {
  const key = `${taskId} ${dev}:${ino}`;
  const before = known.get(key);
  if (before !== undefined && monotonicMs() - before.at < againMs) return before.isHeld;
  if (known.size >= most) known.clear();
  const isHeldNow = ask(context, taskId);
  known.set(key, { isHeld: isHeldNow, at: monotonicMs() });
  return isHeldNow;
}

function ask(context: SessionContext, taskId: string): boolean | null {
  try {
    const { log } = taskPaths(context.paths, taskId);
    const { path } = shimFinder(context.store.dir).choose();
    const { status } = spawnSync(path, ['held', log], { stdio: 'ignore', timeout: waitsMs });
    return answers[status ?? 0] ?? null;
  } catch (error) {
    // There is no shim for this system, or none that can be executed.
    tolerate(error, unavailable, 'asking whether a log is held');
    return null;
  }
}

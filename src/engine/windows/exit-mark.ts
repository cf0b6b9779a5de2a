import { rmSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import type { ExitFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { now } from '../../platform/clock.ts';
import { readExitMark, windowsFiles } from '../../tasklog/windows-files.ts';
import { record } from '../session/append.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';

/**
 * Copies the exit marker that a wrapper has left in a file into the task's log, and removes the file. Two processes may
 * do so at once: then the log has it twice, which says no more. True when there was one that is not known yet.
 */
export function copyExitMark(context: SessionContext, taskId: string, facts: Facts): boolean {
  const { mark } = windowsFiles(context.paths, taskId);
  const found = readExitMark(mark);
  // An outcome that is there already is an early one, if this marker is new: then it is void.
  const known = [facts.exit?.copied, context.heard.get(taskId)?.copied];
  if (found === null || known.includes(found.at)) return false;
  const { epochMs, monoMs } = now();
  const exit: ExitFact = {
    fact: 'exit',
    code: found.code,
    exitSignal: null,
    core: false,
    ran: true,
    errno: null,
    at: found.at,
    monoMs: monoMs - Math.max(0, epochMs - found.at),
    cpuMs: null,
    peakBytes: null,
    left: null,
    pending: false,
    copied: found.at,
  };
  // A reader leaves it where it is.
  if (context.store.isReadOnly) context.heard.set(taskId, exit);
  else if (record(context, taskId, [exit])) remove(mark);
  return true;
}

/** Removes what a task had while it ran. A file that is still open is removed with the task. */
export function dropFiles(context: SessionContext, taskId: string): void {
  for (const path of Object.values(windowsFiles(context.paths, taskId))) remove(path);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true, maxRetries: 3, retryDelay: 5 });
  } catch (error) {
    // Somebody else reads it just now, or the store is read-only.
    tolerate(error, passing, 'removing a file of a task');
  }
}

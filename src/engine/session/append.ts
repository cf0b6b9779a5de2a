import { openedToRead, systemCode } from '../../errors/error.ts';
import type { Fact } from '../../model/facts.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { appendFacts } from '../../tasklog/log.ts';
import { logPath } from '../../tasklog/paths.ts';
import { report } from './background.ts';
import type { SessionContext } from './context.ts';
import { putAwayAfter } from './put-away.ts';

/**
 * Appends facts that must not be lost. If the disk or a permission prevents that, this process keeps them in memory,
 * counts them as written, and tries again from time to time. It writes nothing to a log that is gone.
 * @param behind how many facts came before them: while in memory, they count before facts that come later. By default
 * they count last.
 * @returns whether they are on disk.
 * @throws OutliveError `STORE_UNWRITABLE` in a store that was opened to read.
 */
export function record(
  context: SessionContext,
  taskId: string,
  facts: readonly Fact[],
  behind = Number.POSITIVE_INFINITY,
): boolean {
  if (context.store.isReadOnly) throw openedToRead();
  const waiting = context.unwritten.get(taskId) ?? [];
  try {
    const all = [...waiting.map(({ fact }) => fact), ...facts];
    appendWherever(context, taskId, all);
    context.unwritten.delete(taskId);
    putAwayAfter(context, taskId, all);
    return true;
  } catch (error) {
    report(context, 'recording facts', error, { taskId });
    context.refusal = error;
    if (systemCode(error) === 'ENOENT') context.unwritten.delete(taskId);
    else context.unwritten.set(taskId, [...waiting, ...facts.map((fact) => ({ fact, behind }))]);
    return false;
  }
}

/** The log may have been put away, at this moment or long ago. */
function appendWherever({ paths }: SessionContext, taskId: string, facts: readonly Fact[]): void {
  try {
    appendFacts(logPath(paths, taskId), facts);
  } catch (error) {
    const path = systemCode(error) === 'ENOENT' ? logPathOf(paths, taskId) : null;
    if (path === null) throw error;
    appendFacts(path, facts);
  }
}

/**
 * Appends facts after what is being done now: the process that is told of them does not wait for the disk. They count
 * as written at once, in this process, and the next `record` about the task takes them along.
 */
export function recordSoon(context: SessionContext, taskId: string, facts: readonly Fact[]): void {
  if (facts.length === 0) return;
  const waiting = context.unwritten.get(taskId) ?? [];
  const last = facts.map((fact) => ({ fact, behind: Number.POSITIVE_INFINITY }));
  context.unwritten.set(taskId, [...waiting, ...last]);
  setImmediate(() => flush(context, taskId));
}

/** Takes back a fact that could not be appended: it is of no use later. */
export function withdraw(context: SessionContext, taskId: string, fact: Fact): void {
  const left = (context.unwritten.get(taskId) ?? []).filter((unwritten) => unwritten.fact !== fact);
  if (left.length === 0) context.unwritten.delete(taskId);
  else context.unwritten.set(taskId, left);
}

/** Appends what was put off. */
export function flush(context: SessionContext, taskId: string): void {
  if (context.unwritten.has(taskId)) record(context, taskId, []);
}

/** Tries again what could not be appended. */
export function retryUnwritten(context: SessionContext): void {
  for (const taskId of [...context.unwritten.keys()]) record(context, taskId, []);
}

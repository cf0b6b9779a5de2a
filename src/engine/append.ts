import { systemCode } from '../errors/error.ts';
import type { Fact } from '../model/facts.ts';
import { appendFacts } from '../tasklog/log.ts';
import { taskPaths } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';

/**
 * Appends facts that must not be lost. When the disk or a permission is in the way they are kept in memory,
 * counted as if they were written, and tried again from time to time. A log that is gone gets nothing.
 * @param behind so many facts were there when they should have been written: kept in memory, they count before those
 * that come meanwhile. By default they count last.
 * @returns whether they are on disk.
 */
export function record(
  context: SessionContext,
  taskId: string,
  facts: readonly Fact[],
  behind = Number.POSITIVE_INFINITY,
): boolean {
  const waiting = context.unwritten.get(taskId) ?? [];
  try {
    appendFacts(taskPaths(context.paths, taskId).log, [...waiting.map(({ fact }) => fact), ...facts]);
    context.unwritten.delete(taskId);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') context.unwritten.delete(taskId);
    else context.unwritten.set(taskId, [...waiting, ...facts.map((fact) => ({ fact, behind }))]);
    return false;
  }
}

/**
 * Appends facts after what is being done now: whoever is told of them does not wait for the disk. They count
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

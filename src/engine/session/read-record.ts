import type { ExitFact, Fact } from '../../model/facts.ts';
import { type Facts, foldFacts } from '../../model/fold.ts';
import { dayWith, doneLog } from '../../tasklog/done.ts';
import { logPath } from '../../tasklog/paths.ts';
import { readLog, type TaskLog } from '../../tasklog/read-log.ts';
import type { SessionContext, UnwrittenFact } from './context.ts';

/** The record of a task. */
export interface TaskRecord extends TaskLog {
  /** It is in the folder of those that are done. */
  readonly isPutAway: boolean;
}

/**
 * The record of a task, with the facts that this process knows beyond it; null if there is none. A file that belongs to
 * another user than the store does not count: somebody put it there, and outlive must not touch the processes that it
 * names.
 * @param day where it was put away, for a caller that has just seen it there.
 * @throws OutliveError `READ_FAILED`.
 */
export function readRecord(
  context: SessionContext,
  taskId: string,
  day: string | null = null,
): TaskRecord | null {
  const written = readWritten(context, taskId, day);
  if (written === null) return null;
  const facts = foldWith(written, context.unwritten.get(taskId), context.heard.get(taskId));
  return facts === written.facts ? written : { ...written, facts };
}

/** The same, with what is on disk and nothing else. */
export function readWritten(
  context: SessionContext,
  taskId: string,
  day: string | null = null,
): TaskRecord | null {
  const live = day === null ? context.store.logs.read(logPath(context.paths, taskId)) : null;
  const where = live === null ? (day ?? dayWith(context.paths, taskId)) : null;
  const log = where === null ? live : readLog(doneLog(context.paths, { taskId, day: where }));
  if (log === null || log.owner !== context.store.owner) return null;
  // What is copied comes last: see fold.ts.
  return { isPutAway: where !== null, ...logOfTask(log, taskId) };
}

/** The facts alone. */
export function readFacts(context: SessionContext, taskId: string): Facts | null {
  return readRecord(context, taskId)?.facts ?? null;
}

/** Facts that say which processes are a task's. */
const ofProcesses: ReadonlySet<Fact['fact']> = new Set(['spec', 'waiting', 'turn', 'started']);

/**
 * A log as that of one task. Where the record of another task was put in its place, the processes that it names are
 * that task's, so nothing may be done to them in the name of this one: it counts as a record without a spec.
 */
export function logOfTask(log: TaskLog, taskId: string): TaskLog {
  const spec = log.list.find((fact) => fact.fact === 'spec');
  if (spec === undefined || spec.taskId === taskId) return log;
  const list = log.list.filter((fact) => !ofProcesses.has(fact.fact));
  return { ...log, list, facts: foldFacts(list) };
}

/**
 * Folds a log together with facts that could not be appended to it yet, and with an end that was heard of and that the
 * log may not have.
 */
export function foldWith(log: TaskLog, unwritten: readonly UnwrittenFact[] = [], heard?: ExitFact): Facts {
  const { facts } = log;
  const isNews = heard !== undefined && facts.exit === undefined;
  if (unwritten.length === 0 && !isNews) return facts;
  const list = [...log.list];
  for (const { fact, behind } of unwritten) list.splice(behind, 0, fact);
  if (isNews) list.push(heard);
  // The shim reads what is on disk, and nothing else forbids it to start the command.
  return Object.assign(foldFacts(list), { isForbidden: facts.isForbidden });
}

import type { OutcomeFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import { newestTrace } from '../../model/times.ts';
import { type OutputFile, outputFile, outputState } from '../../tasklog/output.ts';
import type { SessionContext } from './context.ts';

/** What a task has written. */
export interface Written {
  readonly stdout: OutputFile;
  readonly stdoutBytes: number;
  /** 0 where stderr is not kept apart. */
  readonly stderrBytes: number;
  /** When it wrote last, by the time of the files, in epoch milliseconds; `null`: it wrote nothing. */
  readonly lastWrittenAt: number | null;
}

/** What a task has written so far. Nothing of it is read. */
export function writtenBy({ paths }: SessionContext, taskId: string, facts: Facts): Written {
  const stdout = outputFile(paths, taskId, 'stdout', facts);
  const out = outputState(stdout);
  const separate = facts.spec?.separate === true;
  const err = separate ? outputState(outputFile(paths, taskId, 'stderr', facts)) : null;
  const stderrBytes = err?.size ?? 0;
  const isEmpty = out.size + stderrBytes === 0;
  const lastWrittenAt = isEmpty ? null : Math.round(Math.max(out.writtenAt, err?.writtenAt ?? 0));
  return { stdout, stdoutBytes: out.size, stderrBytes, lastWrittenAt };
}

/**
 * When an ended task ended, or else was seen last: what its age is reckoned from. The command of one that is lost may go
 * on, and what it writes keeps the task young.
 */
export function overAt(
  context: SessionContext,
  taskId: string,
  facts: Facts,
  { endedAt, lastSeenAt }: OutcomeFact,
): number {
  if (endedAt !== null) return endedAt;
  const { lastWrittenAt } = writtenBy(context, taskId, facts);
  return newestTrace(facts, { modifiedAt: lastSeenAt ?? 0, lastWrittenAt, nowMs: Date.now() });
}

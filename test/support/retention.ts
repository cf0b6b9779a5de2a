import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { dayOf } from '../../src/tasklog/done.ts';
import { markName, parseMark, type RetentionMark } from '../../src/tasklog/retention-mark.ts';
import { factOf, overwrite } from './logs.ts';

/** The files that say that a store was gone through for what is old. */
export function retentionMarks(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('retained-'));
}

/** As if ten minutes had passed since the store was gone through: the next process that opens a session does it. */
export function letRetentionBeDue(dir: string): void {
  for (const name of retentionMarks(dir)) rmSync(join(dir, name), { force: true });
}

/** What the one mark of a store says. */
export function retentionMark(dir: string): RetentionMark {
  const [name = '', ...others] = retentionMarks(dir);
  const mark = parseMark(name);
  if (mark === null || others.length > 0) throw new Error(`expected one mark; found ${[name, ...others]}`);
  return mark;
}

/** As if that had been noted: by default that the next piece is due. */
export function noteRetention(dir: string, change: Partial<RetentionMark> = { dueAt: 1 }): void {
  const [name = ''] = retentionMarks(dir);
  renameSync(join(dir, name), join(dir, markName({ ...retentionMark(dir), ...change })));
}

/** As if a task had ended so much earlier. @returns the path of its log: where it was put away that is in the folder of another day. */
export function letEndEarlier(log: string, ageMs: number): string {
  const [{ endedAt }, { retentionMs }] = [factOf(log, 'outcome'), factOf(log, 'spec')];
  const end = (endedAt ?? 0) - ageMs;
  overwrite(log, `"endedAt":${endedAt}`, `"endedAt":${end}`);
  if (basename(dirname(log)) === 'tasks') return log;
  const day = dayOf(retentionMs === null ? null : end + retentionMs);
  const path = join(dirname(dirname(log)), day, basename(log));
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  renameSync(log, path);
  return path;
}

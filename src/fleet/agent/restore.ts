import type { TaskSnapshot } from '../../model/snapshot.ts';
import { spawnKeyOf } from '../wire/assignment.ts';
import { Attempt } from './attempts.ts';
import type { Ends } from './ends.ts';
import { attemptOfKey } from './local-tasks.ts';
import type { Parts } from './parts.ts';
import type { AttemptRecord } from './records.ts';
import { hasNeverRun, type Running } from './running.ts';

/** Finds the attempts that earlier agents of this store began, by their files and by the keys of local tasks. */
export async function restore(parts: Parts, running: Running, ends: Ends): Promise<void> {
  const unfinished = new Map<string, TaskSnapshot>();
  for await (const task of parts.local.unfinished()) {
    const { key } = task;
    if (key === null || attemptOfKey(key) === null) continue;
    // If a task never ran, a later task may have its key.
    if (!unfinished.has(key) || !hasNeverRun(task)) unfinished.set(key, task);
  }
  for (const record of parts.records.all()) {
    const attempt = attemptOf(record);
    attempt.isInherited = record.instance !== null && record.instance !== parts.instance;
    parts.attempts.add(attempt);
    const key = spawnKeyOf(record);
    const found = findTask(parts, record, unfinished.get(key));
    // Its local task was removed, so it may have run. Or two machines have the same acceptance on their disks.
    attempt.isDoubtful = found === null && (record.stage === 'spawning' || attempt.isInherited);
    unfinished.delete(key);
    await restoreOne(parts, { record, attempt, found, running, ends });
  }
  for (const [key, task] of unfinished) {
    const name = attemptOfKey(key);
    if (name === null) continue;
    const attempt = parts.attempts.add(new Attempt(name, null));
    attempt.local = { sessionId: task.sessionId, taskId: task.taskId };
    running.follow(attempt);
  }
}

interface Restored {
  readonly record: AttemptRecord;
  readonly attempt: Attempt;
  readonly found: TaskSnapshot | null;
  readonly running: Running;
  readonly ends: Ends;
}

async function restoreOne(parts: Parts, { record, attempt, found, running, ends }: Restored): Promise<void> {
  if (found !== null) attempt.local = { sessionId: found.sessionId, taskId: found.taskId };
  if (record.stage === 'acknowledged') {
    attempt.phase = 'told';
    await ends.acknowledge(attempt);
  } else if (record.stage === 'failed') ends.publish(attempt);
  else if (found !== null) {
    if (!attempt.isInherited && record.stage === 'accepting') parts.records.save(attempt, 'started');
    running.follow(attempt);
  } else if (record.stage === 'started') {
    // It has run, so it never starts again, even if the record of its task was removed.
    running.follow(attempt);
  } else attempt.phase = 'starting';
}

function attemptOf(record: AttemptRecord): Attempt {
  const attempt = new Attempt(record, record.assignment);
  attempt.epochs = record.epochs;
  attempt.local = record.local;
  attempt.end = record.end;
  attempt.reason = record.reason;
  return attempt;
}

/** A user may have acknowledged the end on this host. Then the task is not among the unfinished ones. */
function findTask(
  { local, report }: Parts,
  record: AttemptRecord,
  unfinished: TaskSnapshot | undefined,
): TaskSnapshot | null {
  if (unfinished !== undefined) return unfinished;
  const sessionId = record.local?.sessionId ?? record.assignment?.spec.session;
  if (sessionId === undefined || record.stage === 'failed') return null;
  try {
    const key = spawnKeyOf(record);
    const named = record.local && local.find(record.local.taskId)?.snapshot();
    // A task that never ran no longer holds its key.
    return local.withKey(sessionId, key) ?? (named?.key === key ? named : null);
  } catch (error) {
    // The spawn checks again, and starts nothing if a task has the key.
    report('finding a task of the fleet', error);
    return null;
  }
}

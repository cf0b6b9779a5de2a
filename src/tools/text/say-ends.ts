import { overSince, type TaskSnapshot } from '../../model/snapshot.ts';
import { sayDuration, sayTask } from './present.ts';

/** What an answer says about ends that somebody may have been told of before. */
export function sayAgain(taskIds: readonly string[]): string {
  return `Told again, because an earlier answer may have been lost: ${taskIds.join(', ')}.`;
}

/** What an answer says about ends that another client of this conversation is being told of. */
export function sayElsewhere(taskIds: readonly string[]): string {
  return `Another client of this conversation is being told of this too: ${taskIds.join(', ')}.`;
}

/**
 * A line about a task that has ended, for a reader that may have missed it.
 * @param how.isOwn whether this client started it.
 */
export function sayEndedLately(
  snapshot: TaskSnapshot,
  { nowMs, isOwn }: { readonly nowMs: number; readonly isOwn: boolean },
): string {
  const age = `${sayDuration(Math.max(0, nowMs - overSince(snapshot)))} ago`;
  const notes = [
    age,
    ...(isOwn ? [] : ['started by another client']),
    ...(snapshot.delivered ? [] : ['not acknowledged']),
  ];
  return `- ${sayTask(snapshot)} (${notes.join(', ')})`;
}

/** Reminds of ends by a line each. */
export function sayReminders(snapshots: readonly TaskSnapshot[]): string {
  return sayRemindersIn(snapshots.map(sayTask));
}

/** The same, with the line for each end. */
export function sayRemindersIn(lines: readonly string[]): string {
  return `Told before, unless that answer was lost ("output" reads what a task has written):\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/**
 * News in a message of its own, which answers no call. Without the first line, models take it for a message of the
 * user.
 */
export function sayUnasked(texts: readonly string[]): string {
  return ['This message is from the tools of outlive, not from the user.', ...texts].join('\n\n');
}

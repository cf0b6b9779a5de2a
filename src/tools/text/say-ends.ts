import { overSince, type TaskSnapshot } from '../../model/snapshot.ts';
import { sayDuration, sayTask } from './present.ts';

/** What an answer says of ends that somebody may have been told of before. */
export function sayAgain(taskIds: readonly string[]): string {
  return `Told again, because an earlier answer may have been lost: ${taskIds.join(', ')}.`;
}

/** What an answer says of ends that another client of this conversation is told of at the same time. */
export function sayElsewhere(taskIds: readonly string[]): string {
  return `Another client of this conversation is told of this as well: ${taskIds.join(', ')}.`;
}

/** A line about a task that has ended, for who may have missed that. @param how.isOwn this client has started it. */
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

/** The same, of what is said in a line each. */
export function sayRemindersIn(lines: readonly string[]): string {
  return `Told before, unless that answer was lost ("output" reads what a task has written):\n${lines.map((line) => `- ${line}`).join('\n')}`;
}

/** What nobody has called a tool for, as a message of its own: models take such a message for one of the user's. */
export function sayUnasked(texts: readonly string[]): string {
  return ['This message is from the tools of outlive, not from the user.', ...texts].join('\n\n');
}

import { signal } from '@preact/signals';
import { visible } from '../../util/visible.ts';
import type { TaskRow } from '../protocol.ts';
import { isLive } from './filter.ts';
import { fateOf } from './status.ts';

/** The text that a screen reader says, and that a line at the bottom shows for a while. */
export const announcement = signal('');

/** Ends within this time are announced together, in milliseconds. */
const gatherMs = 500;

/** How many of them it names. */
const mostNamed = 3;

/** How long the page shows an announcement, in milliseconds. */
const shownMs = 8_000;

let ends: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let clearing: ReturnType<typeof setTimeout> | undefined;

/** Announces that a task has ended, if it was live before. */
export function announceEnd(before: TaskRow | undefined, after: TaskRow): void {
  if (before === undefined || !isLive(before) || isLive(after)) return;
  ends.push(`${visible(after.name ?? after.command.slice(0, 60))}: ${fateOf(after)}`);
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    timer = undefined;
    const [count, named] = [ends.length, ends.slice(0, mostNamed)];
    ends = [];
    say(count > mostNamed ? `${count} tasks have ended. ${named.join('. ')}, and others` : named.join('. '));
  }, gatherMs);
}

export function say(text: string): void {
  announcement.value = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => {
    announcement.value = '';
  }, shownMs);
}

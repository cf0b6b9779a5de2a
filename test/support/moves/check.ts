import assert from 'node:assert/strict';
import type { Accepted, Told } from './deeds.ts';
import { ackedBefore, ends, firstWatch, type Shelf, type Tag, tags } from './shelf.ts';

/** What there is to be seen of a case. */
export interface Findings {
  /** By all who were at work. One that was killed has told nothing. */
  readonly told: readonly Told[];
  /** By the next, which has acknowledged what was pending. */
  readonly last: Told;
  /** Somebody was to remove tasks. */
  readonly isPruned: boolean;
  /** Somebody was killed, who may have done anything. */
  readonly isDeathAmong: boolean;
}

/** Checks what is promised of logs that are put away, whoever dies or is stopped meanwhile. */
export function checkShelf(shelf: Shelf, { told, last, isPruned, isDeathAmong }: Findings): void {
  const all = [...told, last];
  // The retention removes it, and those who prune whatever was acknowledged.
  const mayBeGone = (tag: Tag): boolean => tag === 'old' || isPruned;
  checkLists(shelf, all, mayBeGone);
  checkEnds(shelf, all);
  checkLogs(shelf, mayBeGone);
  checkRemovals(shelf, all, isDeathAmong);
  checkWatches(shelf, all, isDeathAmong);
  checkRefusals(shelf, all, mayBeGone);
}

/** Each list has each task once. */
function checkLists({ tasks }: Shelf, all: readonly Told[], mayBeGone: (tag: Tag) => boolean): void {
  for (const list of all.flatMap(({ lists }) => lists)) {
    const twice = list.filter((id, at) => list.indexOf(id) !== at);
    assert.deepEqual(twice, [], 'tasks that a list has twice');
    const missing = tags.filter((tag) => !list.includes(tasks[tag]) && !mayBeGone(tag));
    assert.deepEqual(missing, [], 'tasks that a list does not have');
  }
}

function checkEnds({ tasks }: Shelf, all: readonly Told[]): void {
  for (const tag of tags) {
    const said = all.flatMap((one) => one.ends).filter(({ taskId }) => taskId === tasks[tag]);
    for (const { end } of said) assert.equal(end, ends[tag], `the end of ${tag}`);
    const tails = all.flatMap((one) => one.tails).filter(({ taskId }) => taskId === tasks[tag]);
    const expected = tag === 'big' ? /\n2000\n$/ : new RegExp(`^error ${tag}\n$`);
    for (const { text } of tails) assert.match(text, expected, `the output of ${tag}`);
  }
  const acked = all.flatMap((one) => one.acked);
  const twice = acked.filter((id, at) => acked.indexOf(id) !== at);
  assert.deepEqual(twice, [], 'two were the first to acknowledge');
  for (const tag of ackedBefore) assert.ok(!acked.includes(tasks[tag]), `${tag} was acknowledged again`);
}

/** Each log is there once, was only appended to, and lies among those that are done only when it is. */
function checkLogs(shelf: Shelf, mayBeGone: (tag: Tag) => boolean): void {
  for (const tag of tags) {
    const logs = shelf.logsOf(tag);
    const where = logs.map(({ path }) => path);
    assert.ok(logs.length === 1 || (logs.length === 0 && mayBeGone(tag)), `the logs of ${tag}: ${where}`);
    for (const { text, isPutAway, isDone, watches, hasOpenStop } of logs) {
      assert.ok(text.startsWith(shelf.before.get(tag)?.text ?? ''), `the log of ${tag} was written over`);
      if (!isPutAway) continue;
      assert.ok(isDone, `${tag} was put away, and is not done`);
      assert.ok(!hasOpenStop && watches.length === 0, `something was asked of ${tag}, which was put away`);
    }
  }
}

/** Only what was acknowledged is removed, and what was removed is not there again. */
function checkRemovals(shelf: Shelf, all: readonly Told[], isDeathAmong: boolean): void {
  const acked = all.flatMap((one) => one.acked);
  for (const tag of tags) {
    const id = shelf.tasks[tag];
    const isAcked = ackedBefore.includes(tag) || acked.includes(id) || isDeathAmong;
    const isGone = shelf.logsOf(tag).length === 0;
    if (isGone) assert.ok(isAcked, `${tag} was removed, and not acknowledged`);
    if (all.some(({ pruned }) => pruned.includes(id))) assert.ok(isGone, `${tag} was removed, and is there`);
  }
}

/** A watch that was accepted is open, unless its match was acknowledged or its task was removed. */
function checkWatches(shelf: Shelf, all: readonly Told[], isDeathAmong: boolean): void {
  const matched = all.flatMap((one) => one.matched);
  const twice = matched.filter((one, at) => matched.findIndex((other) => isSame(one, other)) !== at);
  assert.deepEqual(twice, [], 'two were the first to acknowledge a match');
  const accepted = [
    { taskId: shelf.tasks.watched, watchId: firstWatch },
    ...all.flatMap((one) => one.accepted),
  ];
  for (const watch of accepted) {
    const tag = tags.find((one) => shelf.tasks[one] === watch.taskId) as Tag;
    const [log] = shelf.logsOf(tag);
    const isOpen = log?.watches.includes(watch.watchId) === true && !log.isPutAway;
    // Who has died of it has told nobody.
    const isSeen = isDeathAmong && log?.seen.includes(watch.watchId) === true;
    const isOver = isSeen || matched.some((one) => isSame(one, watch));
    assert.ok(log === undefined || isOpen || isOver, `the watch ${watch.watchId} of ${tag} is lost`);
  }
}

function isSame(one: Accepted, other: Accepted): boolean {
  return one.taskId === other.taskId && one.watchId === other.watchId;
}

/** What is done takes no watch, and what was removed is not found. Nothing else is refused. */
function checkRefusals(shelf: Shelf, all: readonly Told[], mayBeGone: (tag: Tag) => boolean): void {
  for (const refused of all.flatMap((one) => one.refused)) {
    const [, what, tag = '', code] = /^(\w+) (\w+): (\w+)$/.exec(refused) ?? [];
    const isOver = what === 'watch' && code === 'TASK_ENDED';
    const isGone = code === 'TASK_NOT_FOUND' && mayBeGone(tag as Tag);
    assert.ok(isOver || isGone, `refused: ${refused} (${shelf.tasks[tag as Tag]})`);
  }
}

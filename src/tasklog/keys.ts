import { mkdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import { crypto } from '../util/crypto.ts';
import { namesIn, renameWhole } from './files.ts';
import type { SessionPaths } from './paths.ts';

/*
 * What at most one task of a session has is claimed as a key: the key that its spawner gave it, its name while it runs,
 * and the place of the task that it replaces. A key has no NUL, so none of the others can be one.
 */

/** The key of a name: the task that has it runs, or has ended and lets it go. */
export function keyOfName(name: string): string {
  return `name\0${name}`;
}

/** The key of the place of a task: the task that has it replaces that one. */
export function keyOfPlace(cookie: string): string {
  return `place\0${cookie}`;
}

/** All keys of a task, in the order in which it claims them. */
export function keysOf({ key, name, replaces }: Claims): string[] {
  return [
    ...(typeof key === 'string' ? [key] : []),
    ...(typeof name === 'string' ? [keyOfName(name)] : []),
    ...(typeof replaces === 'string' ? [keyOfPlace(replaces)] : []),
  ];
}

/** What a task claims; null or absent: nothing of that kind. */
export interface Claims {
  readonly key?: string | null;
  readonly name?: string | null;
  /** The cookie of the task that it replaces. */
  readonly replaces?: string | null;
}

/** The task that has a key. */
export interface KeyHolder {
  readonly taskId: string;
  /** The cookie of the task, which tells it from a later task with the same id. */
  readonly cookie: string;
}

/** Another process may remove a folder as empty while this one uses it, but hardly this often. */
const attempts = 8;

/** The errors of the system if a folder is in the way (on Windows also an empty one), or if ours is gone. */
const inTheWay: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTEMPTY',
  'EEXIST',
  ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : []),
]);

/**
 * It is gone, or not empty: then another process has been faster, or the key has a holder. Or the disk cannot be written
 * now: a key that stays is of a task that is not there, which the next spawn for that key finds out.
 */
const passes = expected('absent', 'busy', 'refused', 'full', 'scarce', 'failing');

/**
 * Gives a key to a task, if no task has it: at one stroke, for all processes. Each key has a folder, whose name is the hash
 * of the key, with one empty file in it, whose name is the cookie of the task. The folder is made under another name and then
 * renamed; the system renames a folder to the name of an empty one, and never to that of one with a file in it.
 * @returns whether the task has it now.
 * @throws a system error.
 */
export function claimKey(session: SessionPaths, key: string, cookie: string): boolean {
  const folder = keyFolder(session, key);
  const claim = claimFolder(session, cookie);
  for (let left = attempts - 1; ; left -= 1) {
    try {
      mkdirSync(claim, { recursive: true, mode: 0o700 });
      writeFileSync(join(claim, cookie), '', { mode: 0o600 });
      renameWhole(claim, folder);
      return true;
    } catch (error) {
      const isInTheWay = inTheWay.has(systemCode(error) ?? '');
      const isTaken = isInTheWay && holderOf(session, key) !== null;
      if (isTaken || left === 0 || !isInTheWay) rmSync(claim, { recursive: true, force: true });
      if (isTaken) return false;
      if (left === 0 || !isInTheWay) throw error;
      removing(() => rmdirSync(folder));
    }
  }
}

/**
 * The task that has a key; null: none.
 * @throws OutliveError `READ_FAILED`.
 */
export function holderOf(session: SessionPaths, key: string): KeyHolder | null {
  return (
    namesIn(keyFolder(session, key))
      .map(parseCookie)
      .find((holder) => holder !== null) ?? null
  );
}

/** Takes a key from a task that has it and can never run. What is said of any other task changes nothing. */
export function freeKey(session: SessionPaths, key: string, cookie: string): void {
  // A task may have written another one into its record, which would be a path.
  if (parseCookie(cookie) === null) return;
  const folder = keyFolder(session, key);
  removing(() => unlinkSync(join(folder, cookie)));
  removing(() => rmdirSync(folder));
  // What a spawner that died has left.
  removing(() => rmSync(claimFolder(session, cookie), { recursive: true, force: true }));
}

/**
 * Removes what tasks without a record have left: a log is there before its task asks for a key, and a log that was removed
 * never comes back. The folder goes when no key is left.
 */
export function sweepKeys(session: SessionPaths, isGone: (taskId: string) => boolean): void {
  for (const name of namesIn(session.keys)) {
    const folder = join(session.keys, name);
    for (const cookie of namesIn(folder)) {
      const holder = parseCookie(cookie);
      if (holder !== null && isGone(holder.taskId)) removing(() => unlinkSync(join(folder, cookie)));
    }
    removing(() => rmdirSync(folder));
  }
  removing(() => rmdirSync(session.keys));
}

function parseCookie(name: string): KeyHolder | null {
  const taskId = /^(bgb-[0-9a-f]{12})\.[0-9a-f]{16}$/.exec(name)?.[1];
  return taskId === undefined ? null : { taskId, cookie: name };
}

/** A key is any text, so no part of it comes into a path. */
function keyFolder(session: SessionPaths, key: string): string {
  return join(session.keys, crypto().createHash('sha256').update(key).digest('hex'));
}

/** Where a claim is made before it is one. */
function claimFolder(session: SessionPaths, cookie: string): string {
  return join(session.keys, `${cookie}.tmp`);
}

function removing(action: () => void): void {
  try {
    action();
  } catch (error) {
    tolerate(error, passes, 'removing a key');
  }
}

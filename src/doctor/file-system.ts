import {
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  statfsSync,
  watch,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { passing } from '../engine/session/background.ts';
import { systemCode } from '../errors/error.ts';
import { tolerate } from '../errors/expected.ts';
import { networkKind } from '../platform/network-kind.ts';
import { careful, letGo } from '../tasklog/files.ts';
import { type Finding, fine, problem, warning } from './finding.ts';

/** A disk with less room than this, or than that share of it, is nearly full. */
const lowBytes = 1024 ** 3;
const lowShare = 0.05;

/** Local file systems tell of a change within a few milliseconds. */
const eventWithinMs = 1_000;

/** Its number, as statfs(2) gives it. */
const tmpfsKind = 0x01021994;

/** How much room the disk has. */
export function checkDisk(dir: string): Finding {
  const { bavail, blocks, bsize, ffree, files } = statfsSync(dir);
  const [free, all] = [bavail * bsize, blocks * bsize];
  const advice = 'Remove old tasks with: outlive prune --all-sessions --older-than 1d; or move the store.';
  if (files > 0 && ffree === 0)
    return problem('disk', 'the disk has no room for another file (no inodes)', advice);
  const share = all === 0 ? 1 : free / all;
  const message = `${mebibytes(free)} of ${mebibytes(all)} MiB are free (${(100 * share).toFixed(0)} %)`;
  if (free < lowBytes && share < lowShare) return problem('disk', message, advice);
  return free < lowBytes || share < lowShare ? warning('disk', message, advice) : fine('disk', message);
}

/** What kind of file system holds the store. */
export function checkKind(dir: string): Finding {
  const network = networkKind(dir);
  if (network !== null) {
    return warning(
      'file-system',
      `the store is on ${network}, where appending is atomic for one machine at a time only`,
      'Use the store from one machine at a time, or move it to a local disk.',
    );
  }
  if (statfsSync(dir).type !== tmpfsKind) return fine('file-system', 'the store is on a local disk');
  return warning(
    'file-system',
    'the store is in memory (tmpfs), so a restart deletes it',
    'Move it to a disk.',
  );
}

/**
 * Whether two writers who append to one file overwrite nothing. It is tried with a file that has no name, so that nothing
 * changes. Nothing is found where the system has no such files.
 */
export function checkAppend(dir: string): Finding[] {
  const lines = Array.from({ length: 64 }, (_, index) => `${index}\n`);
  const writers: number[] = [];
  try {
    const nameless = openNameless(dir);
    if (nameless === null) return [];
    writers.push(nameless, openSync(`/proc/self/fd/${nameless}`, 'a+'));
    for (const [index, line] of lines.entries()) writeSync(writers[index % 2] ?? 0, line);
    if (readFileSync(`/proc/self/fd/${nameless}`, 'utf8') === lines.join(''))
      return [fine('append', 'appending is atomic')];
    const advice = 'Move the store to a local disk.';
    return [problem('append', 'two writers who append overwrite each other', advice)];
  } catch (error) {
    const message = `a file cannot be written: ${String(error)}`;
    return [problem('append', message, 'Free some space, or grant permission.')];
  } finally {
    for (const writer of writers) letGo(writer);
  }
}

/** Opens a new file without a name, for a trial. Null where the system, or the file system, has none. */
export function openNameless(dir: string): number | null {
  if (process.platform !== 'linux') return null;
  const { O_RDWR, O_APPEND, O_DIRECTORY } = constants;
  try {
    // Node does not name O_TMPFILE.
    return openSync(dir, 0o20000000 | O_DIRECTORY | O_RDWR | O_APPEND, 0o600);
  } catch (error) {
    if (['EOPNOTSUPP', 'EISDIR', 'EINVAL', 'ENOENT'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}

/** Whether changes of files are told, or must be looked for. */
export async function checkEvents(dir: string): Promise<Finding> {
  const slower =
    'outlive checks for changes once a second instead, so completions of other processes arrive up to a second late';
  try {
    if (await told(dir)) return fine('events', 'the file system reports changes by events');
    return warning(
      'events',
      `this file system reports no changes; ${slower}`,
      'Move the store to a local disk.',
    );
  } catch (error) {
    const full = ['ENOSPC', 'EMFILE'].includes(systemCode(error) ?? '');
    const advice = full
      ? 'Raise fs.inotify.max_user_watches and max_user_instances.'
      : 'Check the permissions.';
    return warning('events', `files cannot be watched: ${String(error)}; ${slower}`, advice);
  }
}

function told(dir: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dir, () => done(true));
    const timer = setTimeout(() => done(false), eventWithinMs);
    const done = (seen: boolean): void => {
      clearTimeout(timer);
      watcher.close();
      resolve(seen);
    };
    watcher.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // Where it cannot be tried, to be allowed to watch is all that can be known.
    if (!touchMode(join(dir, 'store.json'))) done(true);
  });
}

/** Gives a file the mode that it has: that changes nothing, and Linux tells of it. False where it cannot be done. */
function touchMode(path: string): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const descriptor = openSync(path, constants.O_RDONLY | careful);
    try {
      fchmodSync(descriptor, fstatSync(descriptor).mode & 0o7777);
      return true;
    } finally {
      letGo(descriptor);
    }
  } catch (error) {
    // There is none, or the disk is read-only.
    tolerate(error, passing, 'touching a mode');
    return false;
  }
}

function mebibytes(bytes: number): string {
  return Math.round(bytes / 1024 ** 2).toLocaleString('en');
}

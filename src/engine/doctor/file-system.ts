import { randomBytes } from 'node:crypto';
import {
  closeSync,
  openSync,
  readFileSync,
  statfsSync,
  unlinkSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../errors/error.ts';
import { isShare } from '../../platform/windows-paths.ts';
import { type Finding, fine, problem, warning } from './finding.ts';

/** A disk with less room than this, or than that share of it, is nearly full. */
const lowBytes = 1024 ** 3;
const lowShare = 0.05;

/** Local file systems tell of a change within a few milliseconds. */
const eventWithinMs = 1_000;

/** Kinds of file systems by the number that statfs(2) gives, as the kernel's magic.h lists them. */
const networkKinds: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
]);
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
  const { type } = statfsSync(dir);
  // Windows tells no kinds.
  const network = isShare(dir) ? 'a share of the network' : networkKinds.get(type);
  if (network !== undefined) {
    return warning(
      'file-system',
      `the store is on ${network}, where appending is atomic for one machine at a time only`,
      'Use the store from one machine at a time, or move it to a local disk.',
    );
  }
  if (type !== tmpfsKind) return fine('file-system', 'the store is on a local disk');
  return warning(
    'file-system',
    'the store is in memory (tmpfs), and gone after a restart',
    'Move it to a disk.',
  );
}

/** Whether two writers who append to one file overwrite nothing. */
export function checkAppend(dir: string): Finding {
  const path = temporary(dir);
  const lines = Array.from({ length: 64 }, (_, index) => `${index}\n`);
  try {
    const writers = [openSync(path, 'ax', 0o600), openSync(path, 'a')];
    for (const [index, line] of lines.entries()) writeSync(writers[index % 2] ?? 0, line);
    for (const writer of writers) closeSync(writer);
    if (readFileSync(path, 'utf8') === lines.join('')) return fine('append', 'appending is atomic');
    return problem(
      'append',
      'two writers who append overwrite each other',
      'Move the store to a local disk.',
    );
  } catch (error) {
    return problem('append', `a file cannot be written: ${String(error)}`, 'Make room, or give permission.');
  } finally {
    remove(path);
  }
}

/** Whether changes of files are told, or must be looked for. */
export async function checkEvents(dir: string): Promise<Finding> {
  const path = temporary(dir);
  const slower =
    'outlive looks for changes once a second instead: completions of other processes come that much later';
  try {
    if (await told(dir, path)) return fine('events', 'changes are told by events');
    return warning(
      'events',
      `this file system tells of no changes; ${slower}`,
      'Move the store to a local disk.',
    );
  } catch (error) {
    const full = ['ENOSPC', 'EMFILE'].includes(systemCode(error) ?? '');
    const advice = full
      ? 'Raise fs.inotify.max_user_watches and max_user_instances.'
      : 'Look at the permissions.';
    return warning('events', `files cannot be watched: ${String(error)}; ${slower}`, advice);
  } finally {
    remove(path);
  }
}

function told(dir: string, path: string): Promise<boolean> {
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
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  });
}

/** A name that is swept when a crash leaves it: see src/engine/sweep-strays.ts. */
function temporary(dir: string): string {
  return join(dir, `doctor-${randomBytes(8).toString('hex')}`);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Never made, or on a disk that cannot be written.
  }
}

function mebibytes(bytes: number): string {
  return Math.round(bytes / 1024 ** 2).toLocaleString('en');
}

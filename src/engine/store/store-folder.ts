import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isSystemError, OutliveError, readFailed, systemCode } from '../../errors/error.ts';
import { bounds } from '../../model/limits.ts';
import { readSmall, writeWhole } from '../../tasklog/files.ts';
import { encodeStoreRecord, parseStoreRecord, storeVersion } from '../../tasklog/records.ts';

/**
 * Makes a store's folder or checks the one that is there: a directory of this user, made by outlive, of a version
 * that we know. A folder that others may enter is closed to them.
 * @returns its real path.
 * @throws OutliveError `STORE_UNSAFE`, `STORE_UNWRITABLE`, `STORE_VERSION`, `STORE_CORRUPT`, `READ_FAILED`.
 */
export function prepareStore(dir: string): string {
  return looking(dir, () => {
    const isNew = make(dir);
    const real = checkFolder(dir, 'write');
    const isRecorded = !isNew && checkContent(real);
    closeToOthers(real);
    if (!isRecorded) writable(real, () => writeWhole(recordOf(real), encodeStoreRecord()));
    return real;
  });
}

/**
 * Checks the folder of a store that is opened to read, and changes nothing.
 * @returns its real path, or the absolute one while there is no such folder.
 * @throws OutliveError as {@link prepareStore}.
 */
export function lookAtStore(dir: string): string {
  return looking(dir, () => {
    if (!existsSync(dir)) return resolve(dir);
    const real = checkFolder(dir, 'read');
    checkContent(real);
    return real;
  });
}

function looking(dir: string, action: () => string): string {
  try {
    return action();
  } catch (error) {
    throw error instanceof OutliveError ? error : readFailed(dir, error);
  }
}

const root = 0;

/** The user whose files this process makes; `undefined` on Windows. */
function thisUser(): number | undefined {
  return process.geteuid?.();
}

function make(dir: string): boolean {
  // Something that is there already is looked at next.
  if (existsSync(dir)) return false;
  if (thisUser() === root) checkPlace(dir);
  return writable(dir, () => makeFolders(dir));
}

/** What root makes in a folder of another user, that user cannot use. */
function checkPlace(dir: string): void {
  let above = dirname(resolve(dir));
  while (!existsSync(above)) above = dirname(above);
  const { uid } = statSync(above);
  if (uid !== root) unsafe(dir, 'in a folder of root', `that ${above} belongs to user ${uid}`, uid);
}

/**
 * Creates a folder and those above it; true when it is new. Node's own `recursive` never ends if the parent folder
 * exists but returns ENOENT, as /proc does, and it reports ENOENT for a read-only disk.
 */
export function makeFolders(dir: string): boolean {
  try {
    mkdirSync(dir, { mode: 0o700 });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    if (systemCode(error) !== 'ENOENT' || existsSync(dirname(dir))) throw error;
  }
  makeFolders(dirname(dir));
  return makeFolders(dir);
}

/**
 * Nobody writes in the store of another user, or acts on what it says. Root could, and would leave files that their owner
 * cannot use, and signal processes that a forged record names: see decision 24. Root may read.
 */
function checkFolder(dir: string, purpose: 'read' | 'write'): string {
  const real = realpathSync(dir);
  const stat = statSync(real);
  const user = thisUser();
  if (!stat.isDirectory()) unsafe(real, 'a directory', 'a file');
  const isAllowed = stat.uid === user || (user === root && purpose === 'read');
  if (user !== undefined && !isAllowed)
    unsafe(real, `a directory of user ${user}`, `one of user ${stat.uid}`, stat.uid);
  return real;
}

function recordOf(dir: string): string {
  return join(dir, 'store.json');
}

/** Checks what is in the folder. False: nothing yet, or nothing that a power failure has left. */
function checkContent(dir: string): boolean {
  const path = recordOf(dir);
  const content = readRecord(path);
  if (content !== null) checkVersion(path, content);
  else checkEmpty(dir);
  return content !== null;
}

/** Somebody's folder full of other things is no place for a store: a slip in an option must not fill it. */
function checkEmpty(dir: string): void {
  const strangers = readdirSync(dir).filter(
    (name) => !/^(store\.json.*|(?:doorbell|keeper|retained)-.*|sessions|bin|inotify)$/.test(name),
  );
  if (strangers.length > 0) {
    unsafe(
      dir,
      'an empty directory or a store',
      `a directory that holds ${JSON.stringify(strangers[0])} and no store.json`,
    );
  }
}

function closeToOthers(dir: string): void {
  // Windows has no modes: a folder of the user's profile is closed to others by what it inherits.
  if (process.platform === 'win32' || (statSync(dir).mode & 0o077) === 0) return;
  try {
    chmodSync(dir, 0o700);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    unsafe(
      dir,
      'a directory that only its owner can enter (mode 0700)',
      `one that is open to others, and ${String(error)}`,
    );
  }
}

function readRecord(path: string): string | null {
  try {
    const content = readSmall(path, bounds.recordBytes);
    if (content === null) throw notAStore(path, 'something other than a small file');
    // A power failure can leave it empty: then it is as good as not there.
    return content.toString('utf8').trim() || null;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return null;
    if (code !== 'EACCES' && code !== 'ELOOP' && code !== 'ENXIO') throw error;
    throw new OutliveError(
      'STORE_CORRUPT',
      `expected to read ${path}; found ${String(error)}. Check its permissions.`,
      { cause: error },
    );
  }
}

function checkVersion(path: string, content: string): void {
  const record = parseStoreRecord(content);
  if (record === null) throw notAStore(path, 'something else');
  checkStoreVersion(path, record.version);
}

function notAStore(path: string, found: string): OutliveError {
  return new OutliveError(
    'STORE_CORRUPT',
    `expected ${path} to describe a store; found ${found}. If the folder is a store, remove that file: outlive writes a new one. Otherwise name another folder.`,
  );
}

/**
 * Refuses a store of another version: nothing in it is read or changed.
 * @throws OutliveError `STORE_VERSION`.
 */
function checkStoreVersion(path: string, version: number): void {
  if (version === storeVersion) return;
  const advice =
    version > storeVersion
      ? 'A newer outlive wrote it: upgrade outlive, or name another folder'
      : 'An outlive from before its first release wrote it: move the folder away, or name another one';
  throw new OutliveError(
    'STORE_VERSION',
    `expected ${path} to say version ${storeVersion}; found version ${version}. ${advice}, in the option "dir" or OUTLIVE_HOME.`,
  );
}

function writable<T>(dir: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new OutliveError(
      'STORE_UNWRITABLE',
      `expected to create the store ${dir}; found ${(error as Error).message}. Name a folder that you can write to, in the option "dir" or OUTLIVE_HOME.`,
      { cause: error },
    );
  }
}

/** @param owner a user who may use it. */
function unsafe(dir: string, expected: string, found: string, owner: number | null = null): never {
  const other =
    owner === null
      ? 'Name another folder'
      : `Run it as that user (sudo -u '#${owner}'), or name another folder`;
  throw new OutliveError(
    'STORE_UNSAFE',
    `expected the store ${dir} to be ${expected}; found ${found}. ${other}, in the option "dir" or OUTLIVE_HOME.`,
  );
}

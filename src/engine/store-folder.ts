import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OutliveError, readFailed, systemCode } from '../errors/error.ts';
import { encodeStoreRecord, parseStoreRecord, storeVersion } from '../tasklog/records.ts';

/**
 * Makes a store's folder or checks the one that is there: ours, a directory, made by outlive, of a version
 * that we know. A folder that others may enter is closed to them.
 * @returns its real path.
 * @throws OutliveError `INVALID_ARGUMENT`, `STORE_UNSAFE`, `STORE_UNWRITABLE`, `STORE_VERSION`, `STORE_CORRUPT`, `READ_FAILED`.
 */
export async function prepareStore(dir: string): Promise<string> {
  try {
    return await prepare(dir);
  } catch (error) {
    throw error instanceof OutliveError ? error : readFailed(dir, error);
  }
}

async function prepare(dir: string): Promise<string> {
  const isNew = make(dir);
  const real = realpathSync(dir);
  checkOwner(real);
  const record = join(real, 'store.json');
  const content = isNew ? null : readRecord(record);
  if (content !== null) checkVersion(record, content);
  else if (!isNew) checkEmpty(real);
  closeToOthers(real);
  if (content === null) {
    const { writeWhole } = await import('../tasklog/files.ts');
    writable(real, () => writeWhole(record, encodeStoreRecord()));
  }
  return real;
}

function make(dir: string): boolean {
  // Something that is there already is looked at next.
  if (existsSync(dir)) return false;
  return writable(dir, () => makeFolders(dir));
}

/**
 * Makes a folder and those above it; true when it is new. Node's own `recursive` never ends where the folder
 * above is there and says ENOENT all the same, as /proc does.
 */
function makeFolders(dir: string): boolean {
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

function checkOwner(dir: string): void {
  const stat = statSync(dir);
  const user = process.getuid?.();
  if (!stat.isDirectory()) unsafe(dir, 'a directory', 'a file');
  // Root may use anybody's store: it would have to give files away otherwise.
  if (user !== undefined && user !== 0 && stat.uid !== user)
    unsafe(dir, `a directory of user ${user}`, `one of user ${stat.uid}`);
}

/** Somebody's folder full of other things is no place for a store: a slip in an option must not fill it. */
function checkEmpty(dir: string): void {
  const strangers = readdirSync(dir).filter(
    (name) => !/^(store\.json.*|(?:doorbell|doctor|keeper)-.*|sessions|bin|retained)$/.test(name),
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
    unsafe(
      dir,
      'a directory that only its owner can enter (mode 0700)',
      `one that is open to others, and ${String(error)}`,
    );
  }
}

function readRecord(path: string): string | null {
  try {
    // A power failure can leave it empty: then it is as good as not there.
    return readFileSync(path, 'utf8').trim() || null;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return null;
    if (code !== 'EACCES' && code !== 'EISDIR' && code !== 'ELOOP') throw error;
    throw new OutliveError(
      'STORE_CORRUPT',
      `expected to read ${path}; found ${String(error)}. Check its permissions.`,
      { cause: error },
    );
  }
}

function checkVersion(path: string, content: string): void {
  const record = parseStoreRecord(content);
  if (record === null) {
    throw new OutliveError(
      'STORE_CORRUPT',
      `expected ${path} to describe a store; found something else. If the folder is a store, remove that file: it is written anew. Otherwise name another folder.`,
    );
  }
  checkStoreVersion(path, record.version);
}

/**
 * Refuses a store of another version: nothing in it is read or changed.
 * @throws OutliveError `STORE_VERSION`.
 */
export function checkStoreVersion(path: string, version: number): void {
  if (version === storeVersion) return;
  const advice =
    version > storeVersion
      ? 'A newer outlive wrote it: upgrade outlive, or name another folder'
      : 'An outlive from before its first release wrote it: move the folder away, or name another one';
  throw new OutliveError(
    'STORE_VERSION',
    `expected ${path} to say version ${storeVersion}; found version ${version}. ${advice}, by the option "dir" or OUTLIVE_HOME.`,
  );
}

function writable<T>(dir: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new OutliveError(
      'STORE_UNWRITABLE',
      `expected to make the store ${dir}; found ${error instanceof Error ? error.message : String(error)}. Name a folder that can be written, by the option "dir" or OUTLIVE_HOME.`,
      { cause: error },
    );
  }
}

function unsafe(dir: string, expected: string, found: string): never {
  throw new OutliveError(
    'STORE_UNSAFE',
    `expected the store ${dir} to be ${expected}; found ${found}. Name another folder, by the option "dir" or OUTLIVE_HOME.`,
  );
}

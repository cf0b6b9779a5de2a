import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { isSystemError, systemCode } from '../../errors/error.ts';
import { expected, tolerate } from '../../errors/expected.ts';
import { careful, renameWhole } from '../../tasklog/files.ts';
import { randomHex } from '../../util/crypto.ts';
import { unusable } from './piece.ts';

/** Configurations are small; what is larger is something else. */
const mostBytes = 16 * 1024 * 1024;

/** A draft that is older was left by a process that died, in milliseconds. */
const draftMs = 60_000;

/** A file of an agent as it was found. */
export interface ConfigFile {
  /** Where it is asked for. */
  readonly path: string;
  /** Where it is: another place when there are links on the way. */
  readonly real: string;
  /** Null: there is none. */
  readonly bytes: Buffer | null;
  readonly mode: number;
}

/** Whose files may be written. */
export interface Owner {
  /** The project that everything must lie in; null: it is a file of the user. */
  readonly project: string | null;
}

/**
 * Reads a file to change. It follows a link only to a file that the same user owns, and in a project only within it.
 * @throws OutliveError `CONFIG_UNUSABLE` when it is not a plain file of this user that may be written.
 */
export function readConfig(path: string, owner: Owner): ConfigFile {
  try {
    return readChecked(path, owner);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unusable(
      path,
      'a file that can be read',
      `${systemCode(error)}`,
      'Check its permissions and those of the folders above it.',
    );
  }
}

function readChecked(path: string, { project }: Owner): ConfigFile {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const real = isThere ? realOf(path) : realOfMissing(path);
  if (project !== null && isOutside(real, realpathSync(project)))
    throw unusable(
      path,
      `a file in ${project}`,
      `a link to ${real}`,
      'Change the file there by hand, or remove the link.',
    );
  const asked = { path, real };
  if (!isThere) {
    if (project === null) checkOwner(asked, statSync(aboveOf(real)), 'a folder of this user above it');
    return { ...asked, bytes: null, mode: project === null ? 0o600 : 0o666 & ~process.umask() };
  }
  const descriptor = openSync(real, constants.O_RDONLY | careful);
  try {
    const stat = fstatSync(descriptor);
    checkPlain(asked, stat);
    return { ...asked, bytes: readFileSync(descriptor), mode: stat.mode & 0o777 };
  } finally {
    closeSync(descriptor);
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ELOOP') throw error;
    throw unusable(
      path,
      'a file',
      'a link that leads to no file',
      'Remove the link, or create the file that it leads to.',
    );
  }
}

/** Where a file will be: the folder that is there already, without links, and below it what is still to be made. */
function realOfMissing(path: string): string {
  const above = aboveOf(path);
  if (!statSync(above).isDirectory())
    throw unusable(path, `a folder at ${above}`, 'something else', 'Move it away, and call again.');
  return join(realpathSync(above), relative(above, path));
}

/** The nearest folder above that is there. */
function aboveOf(path: string): string {
  const above = dirname(path);
  const stat = lstatSync(above, { throwIfNoEntry: false });
  return stat === undefined && above !== path ? aboveOf(above) : above;
}

function isOutside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '..' || way.startsWith(`..${sep}`) || way === path;
}

function checkPlain(asked: { path: string; real: string }, stat: Stats): void {
  const { path } = asked;
  if (!stat.isFile())
    throw unusable(
      path,
      'a file',
      stat.isDirectory() ? 'a folder' : 'a pipe or a device',
      'Move it away, and call again.',
    );
  checkOwner(asked, stat, 'a file of this user');
  if (stat.nlink > 1)
    throw unusable(
      path,
      'a file with one name',
      `one that has ${stat.nlink} (hard links)`,
      'Change it by hand, or make a copy in its place.',
    );
  if ((stat.mode & 0o200) === 0)
    throw unusable(
      path,
      'a file that its owner may write',
      'one that is read-only',
      'Make it writable, or change it where it is generated.',
    );
  if (stat.size > mostBytes)
    throw unusable(path, `at most ${mostBytes} bytes`, `${stat.size}`, 'Change it by hand.');
}

function checkOwner({ path, real }: { path: string; real: string }, { uid }: Stats, wanted: string): void {
  const user = process.geteuid?.();
  if (user === undefined || uid === user) return;
  const link = real === path ? '' : ` (${real})`;
  throw unusable(path, wanted, `one of user ${uid}${link}`, 'Call as that user, or change it by hand.');
}

/** What a file was given: its text, without the mark that some editors of Windows put at the beginning. */
export function textOf({ path, bytes }: ConfigFile): { readonly mark: string; readonly text: string } {
  if (bytes === null) return { mark: '', text: '' };
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes) || text.includes('\0'))
    throw unusable(path, 'text in UTF-8', 'other bytes', 'Save it as UTF-8, and call again.');
  return text.startsWith('\uFEFF') ? { mark: '\uFEFF', text: text.slice(1) } : { mark: '', text };
}

/** Whether a file is still as it was found. */
function isUnchanged(file: ConfigFile, owner: Owner): boolean {
  const now = readConfig(file.path, owner);
  if (now.real !== file.real) return false;
  return now.bytes === null || file.bytes === null ? now.bytes === file.bytes : now.bytes.equals(file.bytes);
}

/**
 * Writes a file whole, in one step: the process that reads it finds the old text or the new one. What has changed it in the meantime keeps
 * its change.
 * @returns false when the file is not as it was found; then nothing is written.
 * @throws OutliveError `CONFIG_UNUSABLE` when it cannot be written.
 */
export function replaceConfig(file: ConfigFile, text: string, owner: Owner): boolean {
  const { path, real, mode } = file;
  const draft = `${real}.${randomHex(6)}.outlive-draft`;
  try {
    sweepDrafts(real);
    writeDraft(draft, text, mode);
    if (!isUnchanged(file, owner)) return false;
    renameWhole(draft, real);
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unusable(
      path,
      'a file that can be written',
      `${systemCode(error)}`,
      'Free some space or grant permission.',
    );
  } finally {
    remove(draft);
  }
}

/** Nothing is begun that cannot be finished. @throws OutliveError `CONFIG_UNUSABLE`. */
export function checkWritable({ path, real }: ConfigFile): void {
  const folder = aboveOf(real);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unusable(
      path,
      `${folder} to be a folder that may be written`,
      `${systemCode(error)}`,
      'Give permission.',
    );
  }
}

/** Removes a file that setup has made. @returns false when it is not as it was found. */
export function removeConfig(file: ConfigFile, owner: Owner): boolean {
  if (!isUnchanged(file, owner)) return false;
  unlinkSync(file.real);
  return true;
}

/** Creates the missing folders above a file to write, and returns them. */
export function makeFoldersAbove({ path, real }: ConfigFile, { project }: Owner): string[] {
  const made: string[] = [];
  for (let at = dirname(real); lstatSync(at, { throwIfNoEntry: false }) === undefined; at = dirname(at))
    made.push(at);
  try {
    mkdirSync(dirname(real), { recursive: true, mode: project === null ? 0o700 : 0o777 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unusable(
      path,
      'a folder that can be made',
      `${systemCode(error)}`,
      'Free some space or grant permission.',
    );
  }
  return made;
}

/** Removes folders that setup has made, the deepest first, as far as they are empty. */
export function removeFolders(folders: readonly string[]): void {
  for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
    try {
      rmdirSync(folder);
    } catch (error) {
      tolerate(error, inUse, 'removing a folder that setup has made');
    }
  }
}

const inUse = expected('absent', 'busy', 'refused', 'EEXIST');

function writeDraft(draft: string, text: string, mode: number): void {
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(descriptor, text);
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What a process has left that was killed while it wrote. */
function sweepDrafts(real: string): void {
  const begin = `${basename(real)}.`;
  for (const name of readdirSync(dirname(real))) {
    if (!name.startsWith(begin) || !name.endsWith('.outlive-draft')) continue;
    const draft = join(dirname(real), name);
    const stat = lstatSync(draft, { throwIfNoEntry: false });
    if (stat?.isFile() && Date.now() - stat.mtimeMs > draftMs) remove(draft);
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    tolerate(error, gone, 'removing a draft');
  }
}

const gone = expected('absent');

import {
  chmodSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { OutliveError, readFailed, systemCode } from '../errors/error.ts';
import { letGo, namesIn, writeWhole } from '../tasklog/files.ts';
import { programsFolder } from '../tasklog/paths.ts';
import { crypto } from '../util/crypto.ts';
import { isAbsence, shimUnavailable } from './executable.ts';

/** A copy that was written so long ago is of an old version. A process that still uses it writes it again. */
const oldAfterMs = 30 * 24 * 3_600_000;

/** The path of the copy of a shim in a store. */
export function copyPath(storeDir: string, sha256: string): string {
  return join(programsFolder(storeDir), `shim-${sha256}`);
}

/**
 * Makes sure that the copy of a shim in a store is there: ours, whole, and for us alone to execute. Anything else in its
 * place, such as a link, is replaced and not followed.
 * @param content asked for only when the copy must be written.
 * @throws OutliveError `SHIM_UNAVAILABLE` when others could replace it, `STORE_UNWRITABLE`, `READ_FAILED`.
 */
export async function keepCopy(
  storeDir: string,
  sha256: string,
  content: () => Promise<Uint8Array>,
): Promise<void> {
  const path = copyPath(storeDir, sha256);
  writing(path, () => makeFolder(storeDir));
  if (isWhole(path, sha256)) return;
  const program = await content();
  writing(path, () => writeWhole(path, program, 0o700));
  removeOld(programsFolder(storeDir));
}

/** The owner of a folder can replace what is in it at any time, also after we have checked it. */
function makeFolder(storeDir: string): void {
  const folder = programsFolder(storeDir);
  checkOwner(storeDir, statSync(storeDir).uid);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const stat = lstatSync(folder);
  if (!stat.isDirectory())
    throw shimUnavailable(`that ${folder} is a link or a file`, 'Remove it: a folder is made in its place.');
  checkOwner(folder, stat.uid);
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

function checkOwner(folder: string, owner: number): void {
  const user = process.getuid?.();
  if (user === undefined || owner === user) return;
  throw shimUnavailable(
    `that ${folder} belongs to user ${owner}, who could replace a program in it, and we are user ${user}`,
    'Use a store of your own, or install outlive where its files can be executed.',
  );
}

function isWhole(path: string, sha256: string): boolean {
  let descriptor: number | null = null;
  try {
    // A pipe would have us wait for a writer.
    if (!lstatSync(path).isFile()) return false;
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { uid, mode } = fstatSync(descriptor);
    if (uid !== process.getuid?.() || (mode & 0o777) !== 0o700) return false;
    return crypto().createHash('sha256').update(readFileSync(descriptor)).digest('hex') === sha256;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw readFailed(path, error);
  } finally {
    if (descriptor !== null) letGo(descriptor);
  }
}

function writing(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (error instanceof OutliveError) throw error;
    throw new OutliveError(
      'STORE_UNWRITABLE',
      `expected to copy the shim to ${path}; found ${error instanceof Error ? error.message : String(error)}. Nothing was started. Make room or give permission, or open another store.`,
      { cause: error },
    );
  }
}

/** Copies that updates have left. A running shim goes on without its file. */
function removeOld(folder: string): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    try {
      if (/^shim-[0-9a-f]{64}$/.test(name) && Date.now() - lstatSync(path).mtimeMs > oldAfterMs) rmSync(path);
    } catch {
      // Removed by somebody else meanwhile, or no file of ours.
    }
  }
}

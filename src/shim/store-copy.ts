import { chmodSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError, OutliveError, readFailed, systemCode } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import { namesIn, readSmall, writeWhole } from '../tasklog/files.ts';
import { programsFolder } from '../tasklog/paths.ts';
import { crypto } from '../util/crypto.ts';
import { isAbsence, shimUnavailable } from './executable.ts';

const kept = expected('absent', 'refused', 'failing', 'busy', 'scarce');

/** Larger than any shim. */
const mostBytes = 16 * 1024 ** 2;

/** A copy that was written this long ago is of an old version. A process that still uses it writes it again. */
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
  const user = process.geteuid?.();
  if (user === undefined || owner === user) return;
  throw shimUnavailable(
    `that ${folder} belongs to user ${owner}, who could replace a program in it, and we are user ${user}`,
    'Use a store of your own, or install outlive where its files can be executed.',
  );
}

function isWhole(path: string, sha256: string): boolean {
  try {
    const { uid, mode } = lstatSync(path);
    if (uid !== process.geteuid?.() || (mode & 0o777) !== 0o700) return false;
    const program = readSmall(path, mostBytes);
    return program !== null && crypto().createHash('sha256').update(program).digest('hex') === sha256;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw readFailed(path, error);
  }
}

function writing(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new OutliveError(
      'STORE_UNWRITABLE',
      `expected to copy the shim to ${path}; found ${(error as Error).message}. Nothing was started. Free some space or grant permission, or open another store.`,
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
    } catch (error) {
      // Removed by somebody else meanwhile, or no file of ours.
      tolerate(error, kept, 'removing an old shim');
    }
  }
}

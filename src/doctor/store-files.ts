import { chmodSync, lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { passing } from '../engine/session/background.ts';
import { tolerate } from '../errors/expected.ts';
import { defaults } from '../model/limits.ts';
import { yieldToOthers } from '../util/wait.ts';
import { counted, type Finding, fine, problem, some, warning } from './finding.ts';
import { othersMay } from './folder.ts';
import { checkWindowsLinks } from './windows.ts';

/** Files between two turns of the event loop. */
const batch = 512;

/** The findings about the files of a store. */
interface FileFindings {
  /** Whether everything in the store is ours, and closed to others. */
  readonly modes: Finding;
  /** How much room the store takes. */
  readonly size: Finding;
}

/** Checks each file of a store once: there may be hundreds of thousands. */
export async function checkFiles(dir: string): Promise<FileFindings> {
  const user = process.getuid?.();
  const open: string[] = [];
  const strange: string[] = [];
  let bytes = 0;
  let files = 0;
  for (const { path, stat } of filesIn(dir)) {
    if (stat.isSymbolicLink() || (user !== undefined && stat.uid !== user)) strange.push(path);
    else if ((stat.mode & othersMay) !== 0) open.push(path);
    if (!stat.isDirectory()) bytes += stat.size;
    files += 1;
    if (files % batch === 0) await yieldToOthers();
  }
  const modes = process.platform === 'win32' ? checkWindowsLinks(dir) : modesFinding(dir, open, strange);
  return { modes, size: sizeFinding(bytes, files) };
}

function modesFinding(dir: string, open: readonly string[], strange: readonly string[]): Finding {
  if (strange.length > 0) {
    const finding = `${counted(strange.length, 'file in the store is a link or belongs', 'files in the store are links or belong')} to another user: ${some(strange)}`;
    return problem('modes', finding, 'Check them, and remove what is not yours; outlive follows no links.');
  }
  if (open.length === 0) return fine('modes', 'every file in the store is closed to others');
  const finding = `${counted(open.length, 'file', 'files')} in the store can be read by others: ${some(open)}`;
  return problem('modes', finding, `Run chmod -R go= ${dir}`, async () => {
    // A folder, and a program in it, stay what their owner can enter and execute.
    for (const path of open) chmodSync(path, lstatSync(path).mode & 0o700);
    return `${counted(open.length, 'file is', 'files are')} closed to others now`;
  });
}

/** @param bytes what the files hold, which is more than the disk needs for files with holes. */
function sizeFinding(bytes: number, files: number): Finding {
  const message = `the store takes ${mebibytes(bytes)} MiB in ${counted(files, 'file', 'files')}`;
  if (bytes <= defaults.maxStoreBytes) return fine('size', message);
  return warning(
    'size',
    `${message}, more than the ${mebibytes(defaults.maxStoreBytes)} MiB above which outlive removes old tasks`,
    'See what outlive keeps, and why: outlive prune --all-sessions --dry-run',
  );
}

/** Everything in a folder and below it, one at a time. Nobody can know what is in a folder that is closed to us. */
function* filesIn(dir: string): Generator<{ readonly path: string; readonly stat: Stats }> {
  for (const folders = [dir]; ; ) {
    const folder = folders.pop();
    if (folder === undefined) return;
    for (const name of namesOf(folder)) {
      const path = join(folder, name);
      const stat = statOf(path);
      if (stat === null) continue;
      yield { path, stat };
      if (stat.isDirectory()) folders.push(path);
    }
  }
}

function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    tolerate(error, passing, 'checking the files of a store');
    return [];
  }
}

/** `null`: it was removed meanwhile, or the folder that has it is closed to us. */
function statOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    tolerate(error, passing, 'checking the files of a store');
    return null;
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(bytes < 1024 ** 2 ? 1 : 0);
}

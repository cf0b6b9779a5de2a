import { chmodSync, lstatSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../tasklog/files.ts';
import { counted, type Finding, fine, problem, some } from './finding.ts';
import { checkWindowsFolder, checkWindowsLinks } from './windows.ts';

const othersMay = 0o077;

/** Whether the store's folder is a directory of ours that others cannot enter. Null when it is not there. */
export function checkFolder(dir: string): Finding | null {
  if (process.platform === 'win32') return checkWindowsFolder(dir);
  const stat = statSync(dir, { throwIfNoEntry: false });
  const user = process.getuid?.();
  if (stat === undefined) return null;
  if (!stat.isDirectory())
    return problem('store', `${dir} is no directory`, 'Remove it, or name another store.');
  if (user !== undefined && stat.uid !== user) {
    const finding = `${dir} belongs to user ${stat.uid}, and you are user ${user}`;
    return problem('store', finding, 'Use a store of your own: --store, or OUTLIVE_HOME.');
  }
  if ((stat.mode & othersMay) === 0) return fine('store', `${dir} is yours alone`);
  return problem(
    'store',
    `${dir} can be entered by others (mode ${octal(stat)})`,
    `Run chmod 700 ${dir}`,
    async () => {
      chmodSync(dir, 0o700);
      return `${dir} is closed to others now`;
    },
  );
}

/** Whether everything in the store is ours, and closed to others. */
export function checkModes(dir: string): Finding {
  if (process.platform === 'win32') return checkWindowsLinks(dir);
  const user = process.getuid?.();
  const open: string[] = [];
  const strange: string[] = [];
  for (const { path, stat } of filesIn(dir)) {
    if (stat.isSymbolicLink() || (user !== undefined && stat.uid !== user)) strange.push(path);
    else if ((stat.mode & othersMay) !== 0) open.push(path);
  }
  if (strange.length > 0) {
    const finding = `${counted(strange.length, 'file in the store is a link or belongs', 'files in the store are links or belong')} to another user: ${some(strange)}`;
    return problem('modes', finding, 'Look at them, and remove what is not yours; outlive follows no links.');
  }
  if (open.length === 0) return fine('modes', 'every file in the store is closed to others');
  const finding = `${counted(open.length, 'file', 'files')} in the store can be read by others: ${some(open)}`;
  return problem('modes', finding, `Run chmod -R go= ${dir}`, async () => {
    // A folder, and a program in it, stay what their owner can enter and execute.
    for (const path of open) chmodSync(path, lstatSync(path).mode & 0o700);
    return `${counted(open.length, 'file is', 'files are')} closed to others now`;
  });
}

/** Everything below a folder, one at a time: there may be hundreds of thousands. What is in a folder that is not for us, nobody knows. */
function* filesIn(dir: string): Generator<{ readonly path: string; readonly stat: Stats }> {
  for (const name of namesIn(dir)) {
    const path = join(dir, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    yield { path, stat };
    if (stat.isDirectory()) yield* filesIn(path);
  }
}

function octal(stat: Stats): string {
  return `0${(stat.mode & 0o777).toString(8)}`;
}

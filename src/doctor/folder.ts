import { chmodSync, type Stats, statSync } from 'node:fs';
import { type Finding, fine, problem } from './finding.ts';
import { checkWindowsFolder } from './windows.ts';

/** What a mode lets others do. */
export const othersMay = 0o077;

/** Whether the store's folder is a directory of ours that others cannot enter. Null when it is not there. */
export function checkFolder(dir: string): Finding | null {
  if (process.platform === 'win32') return checkWindowsFolder(dir);
  const stat = statSync(dir, { throwIfNoEntry: false });
  const user = process.getuid?.();
  if (stat === undefined) return null;
  if (!stat.isDirectory())
    return problem('store', `${dir} is not a directory`, 'Remove it, or name another store.');
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

function octal(stat: Stats): string {
  return `0${(stat.mode & 0o777).toString(8)}`;
}

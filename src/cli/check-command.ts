import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { OutliveError, shown } from '../errors/error.ts';

/**
 * Refuses a quoted command that more words follow: the shell would look for one program with blanks in its name.
 * @throws OutliveError `USAGE`.
 */
export function checkCommandWords([first = '', ...rest]: readonly string[], cwd = '.'): void {
  const [next] = rest;
  if (next === undefined || !/\s/.test(first.trim()) || existsSync(resolve(cwd, first))) return;
  const option = rest.find((word) => word.startsWith('-'));
  throw new OutliveError(
    'USAGE',
    option === undefined
      ? `expected one quoted command, or several words; found ${shown(first)} with ${shown(next)} after it. Put all of the command between the quotes. See: outlive run --help`
      : `expected options before the command; found ${shown(option)} after ${shown(first)}. Write: outlive run ${option} ... ${shown(first)}, or put all of the command between the quotes. See: outlive run --help`,
  );
}

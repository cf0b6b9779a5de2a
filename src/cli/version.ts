import { readFileSync } from 'node:fs';
import { expected, tolerate } from '../errors/expected.ts';

const absent = expected('absent');

/** The version of this package; `unknown` where its package.json cannot be found. */
export function packageVersion(): string {
  // The package's own file, beside dist/ or build/src.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      return String(JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')).version);
    } catch (error) {
      // The other place.
      tolerate(error, absent, 'reading the version');
    }
  }
  return 'unknown';
}

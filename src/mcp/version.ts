import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expected, tolerate } from '../errors/expected.ts';

const unreadable = expected('absent', 'refused', 'scarce', 'failing');

/** The version of this package, from the nearest package.json above; 0.0.0 where there is none (a bundle). */
export function packageVersion(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); dir !== dirname(dir); dir = dirname(dir)) {
    try {
      const { name, version } = Object(JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')));
      if (name === 'outlive') return String(version);
    } catch (error) {
      // It is not there, or somebody else's and no JSON: the one above, perhaps.
      if (!(error instanceof SyntaxError)) tolerate(error, unreadable, 'reading the version');
    }
  }
  return '0.0.0';
}

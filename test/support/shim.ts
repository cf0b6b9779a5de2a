import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../src/errors/error.ts';
import { root } from './repository.ts';

/** Executes a shim that is handed no task, so it ends at once. What the system said when it refused; else null. */
export function refusalOf(path: string): string | null {
  const { error } = spawnSync(path, [], { stdio: 'ignore', timeout: 20_000, cwd: '/' });
  return error === undefined ? null : (systemCode(error) ?? error.message);
}

/** The file of the shim for this machine in a compiled package, such as dist. */
export function shimFileIn(compiled: string, target = `${process.platform}-${process.arch}`): string {
  const folder = join(compiled, 'native', target);
  const [hash = '', ...others] = readdirSync(folder);
  if (others.length > 0) throw new Error(`expected one shim in ${folder}; found ${others.length + 1}`);
  return join(folder, hash, 'outlive-shim');
}

/** The shim that the build has placed for this machine, beside the compiled tests. */
export const builtShim = process.platform === 'win32' ? '' : shimFileIn(join(root, 'build', 'src'));

/** Its content. */
export function builtShimContent(): Buffer {
  return readFileSync(builtShim);
}

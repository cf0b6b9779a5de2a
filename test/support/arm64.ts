import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.ts';
import { shimFileIn } from './shim.ts';
import { quote, type World } from './world.ts';

/** A program that runs the shim for arm64, made from the sources as they are, in the user mode of qemu. */
export function arm64Shim({ base }: World): string {
  const path = join(base, 'arm64-shim');
  // Under the name by which shims know each other.
  writeFileSync(path, `#!/bin/sh\nexec qemu-aarch64 -0 outlive-shim ${quote(shimForArm64(base))} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The build has placed the prebuilt one where it fits the sources. */
function shimForArm64(base: string): string {
  const compiled = join(root, 'build', 'src');
  if (existsSync(join(compiled, 'native', 'linux-arm64'))) return shimFileIn(compiled, 'linux-arm64');
  const file = join(base, 'outlive-shim');
  const call = `compile(prebuildingCompiler('linux-arm64'), 'linux-arm64', ${JSON.stringify(file)})`;
  const program = `import('./scripts/native/compilers.mjs').then(({ compile, prebuildingCompiler }) => ${call})`;
  const { status, stderr } = spawnSync(process.execPath, ['--eval', program], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`expected a compiler for arm64: ${stderr}`);
  return file;
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../support/repository.ts';
import { builtShimContent, shimFileIn } from '../../support/shim.ts';
import { fixturePath, quote, World } from '../../support/world.ts';

/** A package and a store of a test's own. */
class Installed extends World {
  readonly package = join(this.base, 'package');

  constructor() {
    super();
    mkdirSync(this.dir, { mode: 0o700 });
    cpSync(join(root, 'dist'), this.package, { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.base, 'node_modules'));
  }

  /** Runs a program of Node where no program in those folders can be executed, and gives what it prints. */
  run(noexec: readonly string[], program: string, ...args: string[]): string {
    const mounts = noexec
      .map(quote)
      .map((dir) => `mount --bind ${dir} ${dir} && mount -o remount,bind,noexec ${dir}`);
    const script = [...mounts, 'exec "$@"'].join(' && ');
    const command = ['--mount', 'sh', '-c', script, 'sh', process.execPath, program, ...args];
    // The status is that of doctor, which has found a problem.
    return spawnSync('unshare', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
  }

  find(noexec: readonly string[]): { path?: string; code?: string | null; error?: string; message?: string } {
    return JSON.parse(this.run(noexec, fixturePath('finds-its-shim.mjs'), this.package, this.dir));
  }
}

test('a package where no program can be executed has its shim copied into the store', async () => {
  await using world = new Installed();
  const { path = '', code } = world.find([world.package]);
  assert.equal(code, null);
  assert.ok(path.startsWith(`${world.dir}/bin/shim-`), path);
  assert.ok(readFileSync(path).equals(builtShimContent()));
});

test('if programs can run neither from the package nor from the store, one error names both and what to do', async () => {
  await using world = new Installed();
  // Once without a copy, once with the one of before.
  for (const _ of [1, 2]) {
    const { error, message } = world.find([world.package, world.dir]);
    assert.equal(error, 'SHIM_UNAVAILABLE');
    const file = shimFileIn(world.package);
    assert.ok(
      message?.includes(`found that ${file} may not be executed, although its mode allows it`),
      message ?? '',
    );
    assert.match(
      message ?? '',
      /and the copy \S+\/bin\/shim-\w+ may not be executed.*noexec\. Put the store/,
    );
  }
  assert.equal(world.find([world.dir]).path, shimFileIn(world.package));
});

test('doctor says that no task can be started there', async () => {
  await using world = new Installed();
  world.find([world.package]);
  const command = join(world.package, 'bin', 'outlive.cjs');
  const told = world.run([world.package, world.dir], command, 'doctor', '--store', world.dir);
  assert.match(told, /^problem {2}shim: expected a shim, .*noexec/m);
});

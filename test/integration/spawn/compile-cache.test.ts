import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cacheFolder } from '../../../src/platform/cache-folder.ts';
import { readOnly } from '../../support/namespaces.ts';
import { root } from '../../support/repository.ts';
import { World } from '../../support/world.ts';

const stranger = 65_534;

/** A home of a test's own, with the folder that users keep caches in. */
class Home extends World {
  readonly caches = join(this.base, '.cache');
  readonly folder = join(this.caches, 'outlive');

  /** Where the compiled code is kept when that folder is named for caches. */
  cache(caches = this.caches): string | null {
    return cacheFolder({ XDG_CACHE_HOME: caches });
  }

  /** The folder as somebody would have made it beforehand. */
  plant(mode = 0o700, owner = process.getuid?.()): void {
    mkdirSync(this.caches, { recursive: true });
    mkdirSync(this.folder, { mode });
    chmodSync(this.folder, mode);
    chownSync(this.folder, owner ?? 0, -1);
  }
}

test('compiled code is kept in a folder that only this user can read', async () => {
  await using home = new Home();
  assert.equal(home.cache(), home.folder);
  for (const path of [home.caches, home.folder]) {
    const { mode, uid } = lstatSync(path);
    assert.deepEqual([mode & 0o777, uid], [0o700, process.getuid?.()]);
  }
  assert.equal(home.cache(), home.folder, 'the second time it is taken as it is');
});

test('the folder is made whatever the umask is', async () => {
  await using home = new Home();
  const before = process.umask(0);
  try {
    assert.equal(home.cache(), home.folder);
  } finally {
    process.umask(before);
  }
  assert.equal(lstatSync(home.folder).mode & 0o777, 0o700);
});

test('a folder of another user is not used', async () => {
  await using home = new Home();
  home.plant(0o700, stranger);
  assert.equal(home.cache(), null);
  assert.deepEqual([lstatSync(home.folder).uid, readdirSync(home.folder)], [stranger, []]);
});

for (const mode of [0o777, 0o770, 0o755, 0o750, 0o701]) {
  test(`a folder of mode 0${mode.toString(8)} is not used, and does not change`, async () => {
    await using home = new Home();
    home.plant(mode);
    assert.equal(home.cache(), null);
    assert.equal(lstatSync(home.folder).mode & 0o777, mode);
  });
}

test('a link in the place of the folder is not followed, wherever it leads', async () => {
  await using home = new Home();
  const elsewhere = join(home.base, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o700 });
  mkdirSync(home.caches);
  for (const target of [elsewhere, 'nowhere', 'outlive']) {
    symlinkSync(target, home.folder);
    assert.equal(home.cache(), null, target);
    renameSync(home.folder, join(home.base, `was-${target.replaceAll('/', '-')}`));
  }
  assert.deepEqual(readdirSync(elsewhere), []);
});

test('a file in the place of the folder, or of its parent, is not used', async () => {
  await using home = new Home();
  mkdirSync(home.caches);
  writeFileSync(home.folder, '');
  assert.equal(home.cache(), null);
  assert.equal(home.cache(home.folder), null);
  assert.equal(home.cache(join(home.folder, 'below')), null);
});

test('a parent folder that others may write to, or that is not ours, is refused before anything is made', async () => {
  await using home = new Home();
  const way = join(home.base, 'way');
  const caches = join(way, 'caches');
  mkdirSync(way);
  for (const [mode, owner] of [
    [0o777, process.getuid?.()],
    [0o775, process.getuid?.()],
    [0o755, stranger],
  ] as const) {
    chmodSync(way, mode);
    chownSync(way, owner ?? 0, -1);
    assert.equal(home.cache(caches), null, mode.toString(8));
    assert.deepEqual(readdirSync(way), []);
  }
  chownSync(way, process.getuid?.() ?? 0, -1);
  chmodSync(way, 0o1777);
  assert.equal(home.cache(caches), join(caches, 'outlive'), 'in a sticky folder others cannot replace ours');
});

test('a shared temporary folder is not used, even if the name is free there', async () => {
  await using home = new Home();
  const shared = join(home.base, 'tmp');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  assert.equal(home.cache(shared), null);
  assert.deepEqual(readdirSync(shared), []);
});

test('a link in the path is followed only if it is ours and leads to safe folders', async () => {
  await using home = new Home();
  const disk = join(home.base, 'disk', 'caches');
  mkdirSync(disk, { recursive: true, mode: 0o700 });
  symlinkSync('disk/../disk/caches', home.caches);
  assert.equal(home.cache(), join(disk, 'outlive'));
  chmodSync(join(home.base, 'disk'), 0o777);
  assert.equal(home.cache(), null, 'others could put another folder there');
  chmodSync(join(home.base, 'disk'), 0o700);
  symlinkSync('loop', join(home.base, 'loop'));
  assert.equal(home.cache(join(home.base, 'loop')), null);
  assert.equal(home.cache(join(home.base, 'loop', 'below')), null);
});

test('a user without a home folder has no cache, and nothing is made', async () => {
  await using home = new Home();
  const nowhere = join(home.base, 'nowhere', 'home');
  const before = process.env.HOME;
  try {
    process.env.HOME = nowhere;
    assert.equal(cacheFolder({}), null);
    assert.equal(cacheFolder({ XDG_CACHE_HOME: 'relative' }), null, 'a relative path is ignored');
    process.env.HOME = home.base;
    assert.equal(cacheFolder({}), home.folder);
  } finally {
    if (before === undefined) delete process.env.HOME;
    else process.env.HOME = before;
  }
  assert.ok(!existsSync(join(home.base, 'nowhere')));
});

test('where nothing can be written no cache is made; an existing one can still be read', async () => {
  await using home = new Home();
  const module = JSON.stringify(join(root, 'build/src/platform/cache-folder.js'));
  const script = `console.log((await import(${module})).cacheFolder({}))`;
  const [program = '', ...args] = [
    ...readOnly(home.base),
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const told = (): string =>
    execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, HOME: home.base } });
  assert.equal(told(), 'null\n');
  mkdirSync(home.caches);
  assert.equal(told(), 'null\n');
  home.plant();
  assert.equal(told(), `${home.folder}\n`);
});

test('root makes nothing in the home of another user', async () => {
  await using home = new Home();
  chownSync(home.base, stranger, -1);
  assert.equal(home.cache(), null);
  assert.deepEqual(readdirSync(home.base), []);
  chownSync(home.base, 0, -1);
});

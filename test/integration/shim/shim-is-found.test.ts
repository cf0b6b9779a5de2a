import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownShim, type ShimSource } from '../../../src/shim/own-shim.ts';
import { ShimFinder, shimProgram } from '../../../src/shim/program.ts';
import { crypto } from '../../../src/util/crypto.ts';
import { builtShim, builtShimContent, refusalOf } from '../../support/shim.ts';
import { World } from '../../support/world.ts';

/** A package of a test's own with the shim that was built, in a file with that mode, and a store. */
class Installed extends World {
  readonly file = join(this.base, 'outlive-shim');
  readonly content = builtShimContent();
  readonly sha256 = crypto().createHash('sha256').update(this.content).digest('hex');
  readonly copy = join(this.dir, 'bin', `shim-${this.sha256}`);
  readonly finder: ShimFinder;

  constructor(mode = 0o755, source: Partial<ShimSource> = {}) {
    super();
    mkdirSync(this.dir, { mode: 0o700 });
    writeFileSync(this.file, this.content, { mode });
    this.finder = this.another(source);
  }

  /** Looks for it as another process would. */
  another(source: Partial<ShimSource> = {}): ShimFinder {
    const { file, sha256 } = this;
    const content = async () => this.content;
    const own = {
      target: 'linux-x64',
      targets: ['linux-x64'],
      sha256,
      file,
      remember: () => undefined,
      content,
    };
    return new ShimFinder(this.dir, { ...own, ...source });
  }

  /** Puts a file in the place of the copy before anybody has made one. */
  plant(content: string | Buffer, mode = 0o700): void {
    mkdirSync(join(this.dir, 'bin'), { mode: 0o700 });
    writeFileSync(this.copy, content, { mode });
  }

  /** The copy is a file of ours, for us alone, with the content that it has to have. */
  assertCopied(path: string): void {
    assert.equal(path, this.copy);
    const { mode, uid } = lstatSync(path);
    assert.deepEqual([mode & 0o777, uid, lstatSync(path).isFile()], [0o700, process.getuid?.(), true]);
    assert.equal(statSync(join(this.dir, 'bin')).mode & 0o777, 0o700);
    assert.ok(readFileSync(path).equals(this.content));
    assert.equal(refusalOf(path), null);
    assert.deepEqual(readdirSync(join(this.dir, 'bin')), [`shim-${this.sha256}`]);
  }
}

test('the file of the package is used if it can be executed, and nothing is copied', async () => {
  await using world = new Installed();
  assert.equal(await world.finder.path(), world.file);
  assert.ok(!existsSync(join(world.dir, 'bin')));
  assert.equal(await shimProgram(world.dir), builtShim);
  assert.equal(refusalOf(builtShim), null);
});

test('a file that has lost its mode, or is missing, is copied into the store', async () => {
  await using world = new Installed(0o644);
  world.assertCopied(await world.finder.path());
  rmSync(world.file);
  rmSync(world.copy);
  world.assertCopied(await world.another().path());
});

test('a shim that is embedded in a bundle or an archive is copied', async () => {
  await using world = new Installed();
  const { content } = ownShim();
  world.assertCopied(await world.another({ file: null, content }).path());
});

test('a copy with another content, or another mode, is written again', async () => {
  await using world = new Installed(0o644);
  world.plant('#!/bin/sh\nexit 1\n');
  world.assertCopied(await world.finder.path());
  for (const mode of [0o600, 0o755, 0o777]) {
    chmodSync(world.copy, mode);
    world.assertCopied(await world.another().path());
  }
  chmodSync(join(world.dir, 'bin'), 0o777);
  world.assertCopied(await world.another().path());
});

test('a good copy is kept', async () => {
  await using world = new Installed(0o644);
  await world.finder.path();
  const { ino } = statSync(world.copy);
  const content = () => Promise.reject(new Error('a copy was made'));
  world.assertCopied(await world.another({ content }).path());
  assert.equal(statSync(world.copy).ino, ino);
});

test('a link in the place of a copy is replaced, and its target is not touched', async () => {
  await using world = new Installed(0o644);
  const stranger = join(world.base, 'stranger');
  writeFileSync(stranger, world.content, { mode: 0o700 });
  const before = statSync(stranger);
  mkdirSync(join(world.dir, 'bin'), { mode: 0o700 });
  symlinkSync(stranger, world.copy);
  world.assertCopied(await world.finder.path());
  assert.deepEqual(statSync(stranger), before);
});

test('a link in the place of the folder of copies is refused', async () => {
  await using world = new Installed(0o644);
  const elsewhere = join(world.base, 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, join(world.dir, 'bin'));
  await assert.rejects(world.finder.path(), {
    code: 'SHIM_UNAVAILABLE',
    message: /bin is a link or a file\. Remove/,
  });
  assert.deepEqual(readdirSync(elsewhere), []);
});

test('a copy of another user is replaced; in a folder of another user nothing is executed', async () => {
  await using world = new Installed(0o644);
  world.plant(world.content);
  chownSync(world.copy, 12_345, 12_345);
  world.assertCopied(await world.finder.path());
  for (const folder of [join(world.dir, 'bin'), world.dir]) {
    chownSync(folder, 12_345, 12_345);
    await assert.rejects(world.another().path(), {
      code: 'SHIM_UNAVAILABLE',
      message: /belongs to user 12345/,
    });
    chownSync(folder, 0, 0);
  }
});

test('a store that cannot be written says so', async () => {
  await using world = new Installed(0o644);
  rmSync(world.dir, { recursive: true });
  await assert.rejects(world.finder.path(), {
    code: 'STORE_UNWRITABLE',
    message: /expected to copy the shim to/,
  });
});

test('a path that the system refuses to execute is not returned again; after the last one there is an error and a new search', async () => {
  await using world = new Installed();
  const path = await world.finder.path();
  const copy = await world.finder.path({ path, code: 'EACCES' });
  world.assertCopied(copy);
  // Other spawns had the same path.
  assert.equal(await world.finder.path({ path, code: 'EACCES' }), copy);
  await assert.rejects(world.finder.path({ path: copy, code: 'EACCES' }), (error: Error) => {
    const told = `${path} may not be executed, although its mode allows it: its file system may be mounted noexec`;
    assert.ok(error.message.includes(told), error.message);
    assert.match(error.message, /and the copy .*shim-\w+ may not be executed.*OUTLIVE_HOME.*OUTLIVE_SHIM/);
    return true;
  });
  assert.equal(await world.finder.path(), path);
});

test('spawns that fail with one path at the same time are all given the next one', async () => {
  await using world = new Installed();
  const path = await world.finder.path();
  const attempts = Array.from({ length: 5 }, () => world.finder.path({ path, code: 'ENOTDIR' }));
  for (const next of await Promise.all(attempts)) assert.equal(next, world.copy);
});

test('a copy that was removed is written again; one that is busy for a moment is returned again', async () => {
  await using world = new Installed(0o644);
  const path = await world.finder.path();
  rmSync(join(world.dir, 'bin'), { recursive: true });
  assert.equal(refusalOf(path), 'ENOENT');
  world.assertCopied(await world.finder.path({ path, code: 'ENOENT' }));
  world.assertCopied(await world.finder.path({ path, code: 'ETXTBSY' }));
});

test('a program without its loader is distinguished from a missing one', async () => {
  await using world = new Installed(0o644);
  const path = await world.finder.path();
  await assert.rejects(world.finder.path({ path, code: 'ENOENT' }), {
    message: /what loads it is not there/,
  });
});

test('a platform without a shim, and a build without any, each have an error that says what to do', async () => {
  await using world = new Installed();
  const unknown = ownShim('plan9-mips');
  await assert.rejects(world.another(unknown).path(), {
    code: 'UNSUPPORTED_PLATFORM',
    message:
      /expected a platform that there is a shim for: .*linux-x64.*; found plan9-mips\. Compile native\/src/,
  });
  await assert.rejects(world.another({ sha256: null, targets: [] }).path(), {
    code: 'SHIM_UNAVAILABLE',
    message: /compiled without one\. Build it by: npm run build/,
  });
  const nowhere = { file: null, content: async () => null };
  await assert.rejects(world.another(nowhere).path(), {
    code: 'SHIM_UNAVAILABLE',
    message: /Was the package removed/,
  });
});

test('OUTLIVE_SHIM comes before all others, and is refused if it names no program', async (t) => {
  await using world = new Installed();
  t.after(() => delete process.env.OUTLIVE_SHIM);
  const named = join(world.base, 'named');
  process.env.OUTLIVE_SHIM = named;
  await assert.rejects(world.another().path(), {
    code: 'SHIM_UNAVAILABLE',
    message: /named", which .* is not there/,
  });
  writeFileSync(named, world.content, { mode: 0o640 });
  await assert.rejects(world.another().path(), { message: /may not be executed \(mode 0640\)/ });
  chmodSync(named, 0o700);
  assert.equal(await world.another(ownShim('plan9-mips')).path(), named);
  const finder = world.another();
  await finder.path();
  await assert.rejects(finder.path({ path: named, code: 'ENOEXEC' }), {
    message: /cannot be executed \(ENOEXEC\)/,
  });
  for (const [value, found] of [
    ['outlive-shim', /is no absolute path/],
    [world.base, /is no file/],
  ] as const) {
    process.env.OUTLIVE_SHIM = value;
    await assert.rejects(world.another().path(), { code: 'SHIM_UNAVAILABLE', message: found });
  }
});

test('a copy that was not used for a month is removed when another is written', async () => {
  await using world = new Installed(0o644);
  const [old, young] = ['0', '1'].map((digit) => join(world.dir, 'bin', `shim-${digit.repeat(64)}`));
  assert.ok(old && young);
  world.plant('');
  for (const path of [old, young]) writeFileSync(path, '');
  utimesSync(old, 1, 1);
  await world.finder.path();
  assert.deepEqual([existsSync(old), existsSync(young)], [false, true]);
});

test('a store accepts its folder of copies: the store opens, stray files in the folder are removed, and doctor is content', async () => {
  await using world = new Installed(0o644);
  await world.finder.path();
  const stray = join(world.dir, 'bin', `shim-${world.sha256}.0123456789ab.tmp`);
  writeFileSync(stray, '', { mode: 0o600 });
  utimesSync(stray, 1, 1);
  const { diagnose } = await import('../../../src/doctor/doctor.ts');
  const wrong = async (check: string) =>
    (await diagnose({ dir: world.dir })).findings.filter((one) => one.check === check && one.level !== 'ok');
  assert.equal((await wrong('strays'))[0]?.message, `crashed processes left 1 temporary file: ${stray}`);
  await world.session();
  world.assertCopied(world.copy);
  assert.deepEqual([await wrong('strays'), await wrong('modes'), await wrong('shim')], [[], [], []]);
});

test('doctor closes a copy that is open to others, and the copy can still be executed', async () => {
  await using world = new Installed(0o644);
  await world.session();
  await world.finder.path();
  chmodSync(world.copy, 0o755);
  const { diagnose } = await import('../../../src/doctor/doctor.ts');
  const { findings } = await diagnose({ dir: world.dir });
  await findings.find(({ check }) => check === 'modes')?.mend?.();
  world.assertCopied(world.copy);
});

test('when the package is updated under a running process, the shim that it knew is copied', async () => {
  await using world = new Installed();
  const folder = join(world.base, 'gone');
  renameSync(world.file, folder);
  assert.equal(refusalOf(world.file), 'ENOENT');
  world.assertCopied(await world.finder.path({ path: world.file, code: 'ENOENT' }));
});

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../support/repository.ts';
import { refusalOf, shimFileIn } from '../../support/shim.ts';
import { World } from '../../support/world.ts';

/** Where no compiler is found. */
const nothing = { PATH: '' };

/** A clone without git: what builds the shim, and compiled JavaScript that has none. */
class Clone extends World {
  constructor() {
    super();
    for (const part of ['scripts', 'native'])
      cpSync(join(root, part), join(this.base, part), { recursive: true });
    const shim = join(this.base, 'dist', 'shim');
    cpSync(join(root, 'build', 'src', 'shim'), shim, { recursive: true });
    // The prebuilt shims are renewed at the end of a change; these tests run before, too.
    const path = join(this.base, 'native', 'prebuilt', 'manifest.json');
    const program = "import('./scripts/native/compilers.mjs').then((it) => console.log(it.sourcesHash()))";
    const sources = this.#node(nothing, '--eval', program).stdout.trim();
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), sources }));
  }

  /** What the build does after the compiler of TypeScript. */
  place(environment: NodeJS.ProcessEnv = process.env): SpawnSyncReturns<string> {
    const program = "import('./scripts/native/place.mjs').then(({ placeShims }) => placeShims())";
    return this.#node(
      environment,
      '--eval',
      `${program}.catch(({ message }) => { console.error(message); process.exit(1); })`,
    );
  }

  /** Without a compiler, so nothing is built again. */
  verify(): SpawnSyncReturns<string> {
    return this.#node(nothing, join('scripts', 'native.mjs'), '--verify');
  }

  #node(env: NodeJS.ProcessEnv, ...args: string[]): SpawnSyncReturns<string> {
    return spawnSync(process.execPath, args, { cwd: this.base, env, encoding: 'utf8' });
  }

  /** The shim that was placed, and whether the compiled JavaScript has its hash and its content. */
  placed(): Buffer {
    const file = shimFileIn(join(this.base, 'dist'));
    assert.equal(refusalOf(file), null);
    const target = `${process.platform}-${process.arch}`;
    const module = (name: string) =>
      readFileSync(join(this.base, 'dist', 'shim', 'embedded', `${name}.js`), 'utf8');
    const hash = new RegExp(`"${target}":"(\\w+)"`).exec(module('hashes'))?.[1];
    assert.ok(file.includes(`/${hash?.slice(0, 16)}/`), `${file} and ${hash}`);
    assert.match(module(target), /^export const program = "[\w+/]+=*";$/m);
    return readFileSync(file);
  }

  prebuilt(): Buffer {
    return readFileSync(this.#prebuilt());
  }

  change(): void {
    appendFileSync(join(this.base, 'native', 'src', 'main.c'), '\nint nobody_calls_this(void);\n');
  }

  damage(): void {
    appendFileSync(this.#prebuilt(), '\n');
  }

  #prebuilt(): string {
    return join(this.base, 'native', 'prebuilt', `${process.platform}-${process.arch}`, 'outlive-shim');
  }
}

test('while the prebuilt shims match the sources, they are used, and no compiler is needed', async () => {
  await using clone = new Clone();
  assert.deepEqual([clone.place(nothing).stderr, clone.verify().status], ['', 0]);
  assert.ok(clone.placed().equals(clone.prebuilt()));
});

test('if the sources have changed, the shim is compiled, and the check says that the prebuilt ones do not match', async () => {
  await using clone = new Clone();
  clone.change();
  assert.equal(clone.place().stderr, '');
  // An ELF of this machine, and not the one of before.
  clone.placed();
  const { status, stderr } = clone.verify();
  assert.equal(status, 1);
  assert.match(stderr, /manifest\.json is about other sources: run node scripts\/native\.mjs --renew/);
});

test('a prebuilt shim that differs from the manifest is not used', async () => {
  await using clone = new Clone();
  clone.damage();
  const { status, stderr } = clone.place();
  assert.equal(status, 0);
  assert.match(stderr, /outlive-shim is not the file that .*manifest\.json describes; it is not used/);
  assert.ok(!clone.placed().equals(clone.prebuilt()));
  assert.match(
    clone.verify().stderr,
    /^native\/prebuilt\/.* is not the file that .*manifest\.json describes\n$/,
  );
});

test('without a prebuilt shim and without a compiler one line says what to install', async () => {
  await using clone = new Clone();
  rmSync(join(clone.base, 'native', 'prebuilt'), { recursive: true });
  const { status, stdout, stderr } = clone.place(nothing);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(
    stderr,
    /^expected a C compiler for native\/src, .*; found neither musl-gcc nor cc: install .*\n$/,
  );
});

test('a compiler without a static C library makes a dynamic shim; one that cannot link is skipped', async () => {
  await using clone = new Clone();
  rmSync(join(clone.base, 'native', 'prebuilt'), { recursive: true });
  const tools = join(clone.base, 'tools');
  mkdirSync(tools);
  const cc = spawnSync('sh', ['-c', 'command -v cc'], { encoding: 'utf8' }).stdout.trim();
  const tool = (name: string, text: string) => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(tools, name), 0o755);
  };
  tool('musl-gcc', 'exit 1');
  tool('cc', `case " $* " in *' -static '*) exit 1 ;; esac\nexec ${cc} "$@"`);
  const { status, stderr } = clone.place({ PATH: `${tools}:${process.env.PATH}` });
  assert.deepEqual([status, stderr], [0, '']);
  assert.ok(clone.placed().includes('/ld-'), 'it names what loads it');
});

test('a failed compilation is reported with the words of the compiler', async () => {
  await using clone = new Clone();
  appendFileSync(join(clone.base, 'native', 'src', 'main.c'), '\nint broken(void) { return nothing; }\n');
  const { status, stderr } = clone.place();
  assert.equal(status, 1);
  assert.match(stderr, /does not compile native\/src:\n[\s\S]*main\.c:\d+.*nothing/);
});

test('the prebuilt shims are static programs for their processors, and contain no path of a machine', () => {
  const machines = { 'linux-x64': 62, 'linux-arm64': 183 };
  for (const [target, machine] of Object.entries(machines)) {
    const elf = readFileSync(join(root, 'native', 'prebuilt', target, 'outlive-shim'));
    assert.equal(elf.subarray(0, 4).toString('latin1'), '\x7fELF', target);
    assert.equal(elf.readUInt16LE(18), machine, target);
    const [start, size, count] = [
      Number(elf.readBigUInt64LE(32)),
      elf.readUInt16LE(54),
      elf.readUInt16LE(56),
    ];
    const kinds = Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size));
    // PT_DYNAMIC and PT_INTERP: what a dynamic program has.
    assert.ok(kinds.includes(1) && !kinds.includes(2) && !kinds.includes(3), `${target}: ${kinds}`);
    // The C library has a path for commands whose environment has none.
    const text = elf.toString('latin1').replace('/usr/local/bin:/bin:/usr/bin', '');
    assert.doesNotMatch(text, /\/(?:home|root|tmp|work|usr|build|Users)\//, target);
  }
});

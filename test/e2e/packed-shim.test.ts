import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { installedPackage, packInto, runProgram } from '../support/packed.ts';
import { root } from '../support/repository.ts';
import { builtShimContent, refusalOf, shimFileIn } from '../support/shim.ts';
import { fixturePath, World } from '../support/world.ts';

const outlive = join(installedPackage(), 'node_modules', 'outlive');

/** What the program of an agent prints of the shim that it has found. */
interface Answer {
  readonly path: string;
  /** What the system said when it refused to execute it. */
  readonly code: string | null;
}

class Agents extends World {
  constructor() {
    super();
    mkdirSync(this.dir, { mode: 0o700 });
  }

  /** An empty folder. */
  folder(name: string): string {
    const folder = join(this.base, name);
    mkdirSync(folder);
    return folder;
  }

  assertCopied({ path, code }: Answer): void {
    assert.ok(path.startsWith(join(this.dir, 'bin', 'shim-')), path);
    assert.equal(code, null);
    assert.ok(readFileSync(path).equals(builtShimContent()));
  }
}

/** The program of an agent, which has the module that finds the shim from an expression. */
const agentWith = (module: string): string => `
  import { spawnSync } from 'node:child_process';
  const main = async () => {
    const { shimProgram } = await ${module};
    const path = await shimProgram(process.argv[2]);
    const { error } = spawnSync(path, [], { stdio: 'ignore' });
    console.log(JSON.stringify({ path, code: error?.code ?? null }));
  };
  main();`;

test('the package has a shim for Linux on x64 and arm64 that npm installs without scripts and can be executed', () => {
  const native = join(outlive, 'dist', 'native');
  for (const target of ['linux-x64', 'linux-arm64']) {
    const file = shimFileIn(join(outlive, 'dist'), target);
    assert.equal(statSync(file).mode & 0o111, 0o111, file);
  }
  assert.ok(readdirSync(native).includes(`${process.platform}-${process.arch}`));
  assert.equal(refusalOf(shimFileIn(join(outlive, 'dist'))), null);
});

test('an agent in a project has the file of the package', async () => {
  await using world = new Agents();
  const agent = join(installedPackage(), 'finds.mjs');
  writeFileSync(agent, agentWith("import(new URL('./shim/program.js', import.meta.resolve('outlive')))"));
  const answer = JSON.parse(runProgram(process.execPath, [agent, world.dir], '/'));
  assert.deepEqual(answer, { path: shimFileIn(join(outlive, 'dist')), code: null });
});

for (const format of ['esm', 'cjs'] as const) {
  test(`an agent in one file (${format}), alone in a folder, has a copy in its store`, async () => {
    await using world = new Agents();
    const [sources, alone] = [world.folder('sources'), world.folder('alone')];
    const entry = join(sources, 'agent.mjs');
    const module = `import(${JSON.stringify(join(outlive, 'dist', 'shim', 'program.js'))})`;
    writeFileSync(entry, agentWith(module));
    const file = join(alone, format === 'esm' ? 'agent.mjs' : 'agent.cjs');
    const options = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`];
    runProgram(join(root, 'node_modules', '.bin', 'esbuild'), [entry, ...options], sources);
    rmSync(sources, { recursive: true });
    world.assertCopied(JSON.parse(runProgram(process.execPath, [file, world.dir], alone)));
    assert.deepEqual(readdirSync(alone), [basename(file)]);
  });
}

test("in a project of Yarn's Plug'n'Play, which keeps the package in a zip, the shim is copied", async () => {
  await using world = new Agents();
  const project = world.folder('project');
  const tarball = packInto(project);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // What the package depends on is linked to what is installed here: nothing is fetched.
  const links = Object.keys({ ...dependencies, ...optionalDependencies }).map((name) => [
    name,
    `link:${join(root, 'node_modules', name)}`,
  ]);
  const named = { outlive: `file:./${basename(tarball)}` };
  const manifest = { name: 'agent', private: true, type: 'module', dependencies: named };
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ ...manifest, resolutions: Object.fromEntries(links) }),
  );
  const settings = [
    'nodeLinker: pnp',
    'enableGlobalCache: false',
    'enableTelemetry: false',
    'enableNetwork: false',
  ];
  writeFileSync(join(project, '.yarnrc.yml'), [...settings, 'enableImmutableInstalls: false', ''].join('\n'));
  writeFileSync(join(project, 'yarn.lock'), '');
  writeFileSync(
    join(project, 'agent.mjs'),
    agentWith("import(new URL('./shim/program.js', import.meta.resolve('outlive')))"),
  );
  const yarn = [join(root, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js')];
  runProgram(process.execPath, [...yarn, 'install'], project);
  const cached = readdirSync(join(project, '.yarn', 'cache')).filter((name) => name.endsWith('.zip'));
  assert.equal(cached.length, 1, 'the package is in a zip');
  world.assertCopied(
    JSON.parse(runProgram(process.execPath, [...yarn, 'node', 'agent.mjs', world.dir], project)),
  );
});

test('when an update removes the package under an agent, the agent goes on with a copy', async () => {
  await using world = new Agents();
  const folder = join(world.base, 'dist');
  cpSync(join(outlive, 'dist'), folder, { recursive: true });
  const child = spawn(process.execPath, [fixturePath('finds-its-shim.mjs'), folder, world.dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Answer> => JSON.parse((await answers.next()).value ?? 'null');
  assert.deepEqual(await next(), { path: shimFileIn(folder), code: null });
  rmSync(folder, { recursive: true });
  const asked = async (process: ChildProcess): Promise<Answer> => {
    process.stdin?.write('\n');
    return await next();
  };
  assert.deepEqual((await asked(child)).code, 'ENOENT');
  world.assertCopied(await asked(child));
  world.assertCopied(await asked(child));
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('where there is no C library at all, as in an image of one program, the shim runs', async () => {
  await using world = new Agents();
  const image = world.folder('image');
  copyFileSync(shimFileIn(join(outlive, 'dist')), join(image, 'outlive-shim'));
  const { status, signal } = spawnSync('chroot', [image, '/outlive-shim'], { stdio: 'ignore' });
  // What chroot says of a program that it cannot execute.
  assert.ok(
    signal === null && ![125, 126, 127].includes(status ?? 127),
    `status ${status}, signal ${signal}`,
  );
});

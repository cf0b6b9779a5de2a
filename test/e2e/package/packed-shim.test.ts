import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
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
import { installedPackage, runProgram, tarball } from '../../support/packed.ts';
import { root } from '../../support/repository.ts';
import { builtShimContent, refusalOf, shimFileIn } from '../../support/shim.ts';
import { quote, World } from '../../support/world.ts';

const outlive = join(installedPackage(), 'node_modules', 'outlive');

/** What the program of an agent prints of a task that it has spawned, and whose end it has seen. */
interface Answer {
  /** The program that the task's shim executes. */
  readonly shim: string;
  readonly status: string;
  readonly exitCode: number | null;
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

  /** Runs the program of an agent to its end, and gives what it prints. */
  run(before: readonly string[], agent: string, cwd = '/'): Answer {
    const [program = '', ...args] = [...before, agent, this.dir];
    return JSON.parse(runProgram(program, args, cwd));
  }

  /** A copy of the installed package's dist, and the agent that has it. */
  copyOfPackage(): { readonly dist: string; readonly agent: string } {
    const dist = join(this.base, 'dist');
    cpSync(join(outlive, 'dist'), dist, { recursive: true });
    const agent = join(this.base, 'agent.mjs');
    writeFileSync(agent, agentWith(JSON.stringify(join(dist, 'index.js'))));
    return { dist, agent };
  }

  assertCopied({ shim, ...end }: Answer): void {
    assert.deepEqual(end, { status: 'failed', exitCode: 3 });
    assert.ok(shim.startsWith(join(this.dir, 'bin', 'shim-')), shim);
    assert.ok(readFileSync(shim).equals(builtShimContent()));
  }
}

/**
 * The program of an agent that spawns a task, sees it end, and does that again for each line of its input.
 * @param specifier names the library in an import, quotes included.
 */
const agentWith = (specifier: string): string => `
  import { createInterface } from 'node:readline';
  import { openStore } from ${specifier};
  const once = async (session) => {
    const task = await session.spawn('readlink /proc/$PPID/exe; exit 3');
    const { status, exitCode, output } = await task.wait();
    return { shim: output.preview.trim(), status, exitCode };
  };
  const main = async () => {
    const store = await openStore({ dir: process.argv[2] });
    const session = await store.session('agent');
    const tell = () =>
      once(session).then(
        (answer) => console.log(JSON.stringify(answer)),
        ({ code }) => console.log(JSON.stringify({ refused: code })),
      );
    await tell();
    for await (const _ of createInterface({ input: process.stdin })) await tell();
    await store.close();
  };
  main();`;

const node = [process.execPath];

/** The answer of an agent that has the file of a compiled package. */
const ofPackage = (dist: string): Answer => ({ shim: shimFileIn(dist), status: 'failed', exitCode: 3 });

/** What runs a program where no other in some folders can be executed. */
function where(...noexec: string[]): string[] {
  const mounts = noexec
    .map(quote)
    .map((dir) => `mount --bind ${dir} ${dir} && mount -o remount,bind,noexec ${dir}`);
  return ['unshare', '--mount', 'sh', '-c', [...mounts, 'exec "$@"'].join(' && '), 'sh'];
}

test('the package has a shim for Linux on x64 and arm64 that npm installs without scripts, executable', () => {
  const native = join(outlive, 'dist', 'native');
  for (const target of ['linux-x64', 'linux-arm64']) {
    const file = shimFileIn(join(outlive, 'dist'), target);
    assert.equal(statSync(file).mode & 0o111, 0o111, file);
  }
  assert.ok(readdirSync(native).includes(`${process.platform}-${process.arch}`));
  assert.equal(refusalOf(shimFileIn(join(outlive, 'dist'))), null);
});

test('an agent in a project uses the shim file of the package', async () => {
  await using world = new Agents();
  const agent = join(installedPackage(), 'spawns.mjs');
  writeFileSync(agent, agentWith("'outlive'"));
  assert.deepEqual(world.run(node, agent), ofPackage(join(outlive, 'dist')));
});

test('an agent whose package lost its file modes has a copy of the shim in its store', async () => {
  await using world = new Agents();
  const { dist, agent } = world.copyOfPackage();
  chmodSync(shimFileIn(dist), 0o644);
  world.assertCopied(world.run(node, agent));
});

test('an agent whose package has lost its binaries uses the shim embedded in its JavaScript', async () => {
  await using world = new Agents();
  const { dist, agent } = world.copyOfPackage();
  rmSync(join(dist, 'native'), { recursive: true });
  world.assertCopied(world.run(node, agent));
});

test('an agent whose package was built without a binary is refused with a code, and no task is recorded', async () => {
  await using world = new Agents();
  const { dist, agent } = world.copyOfPackage();
  rmSync(join(dist, 'native'), { recursive: true });
  // As the compiler of TypeScript leaves them.
  for (const name of readdirSync(join(dist, 'shim', 'embedded')).filter((file) => file.endsWith('.js'))) {
    const file = join(dist, 'shim', 'embedded', name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text
        .replace(/^(export const shimHashes = ).*;$/m, '$1{};')
        .replace(/^(export const program = ).*;$/m, '$1null;'),
    );
  }
  const { refused } = world.run(node, agent) as unknown as { refused: string };
  assert.deepEqual([refused, world.taskIds()], ['SHIM_UNAVAILABLE', []]);
});

test('if the store is on a noexec disk, an agent runs the shim from the package', async () => {
  await using world = new Agents();
  const { dist, agent } = world.copyOfPackage();
  assert.deepEqual(world.run([...where(world.dir), ...node], agent), ofPackage(dist));
  const { refused } = world.run([...where(world.dir, dist), ...node], agent) as unknown as {
    refused: string;
  };
  assert.equal(refused, 'SHIM_UNAVAILABLE');
});

for (const format of ['esm', 'cjs'] as const) {
  test(`an agent in one file (${format}), alone in a folder, has a copy of the shim in its store`, async () => {
    await using world = new Agents();
    const [sources, alone] = [world.folder('sources'), world.folder('alone')];
    const entry = join(sources, 'agent.mjs');
    writeFileSync(entry, agentWith(JSON.stringify(join(outlive, 'dist', 'index.js'))));
    const file = join(alone, format === 'esm' ? 'agent.mjs' : 'agent.cjs');
    const options = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`];
    runProgram(join(root, 'node_modules', '.bin', 'esbuild'), [entry, ...options], sources);
    rmSync(sources, { recursive: true });
    world.assertCopied(world.run(node, file, alone));
    assert.deepEqual(readdirSync(alone), [basename(file)]);
  });
}

test("in a project of Yarn's Plug'n'Play, which keeps the package in a zip, the shim is copied", async () => {
  await using world = new Agents();
  const project = world.folder('project');
  const packed = join(project, basename(tarball()));
  copyFileSync(tarball(), packed);
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // What the package depends on is linked to what is installed here: nothing is fetched.
  const links = Object.keys({ ...dependencies, ...optionalDependencies }).map((name) => [
    name,
    `link:${join(root, 'node_modules', name)}`,
  ]);
  const named = { outlive: `file:./${basename(packed)}` };
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
  writeFileSync(join(project, 'agent.mjs'), agentWith("'outlive'"));
  const yarn = [join(root, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js')];
  runProgram(process.execPath, [...yarn, 'install'], project);
  const cached = readdirSync(join(project, '.yarn', 'cache')).filter((name) => name.endsWith('.zip'));
  assert.equal(cached.length, 1, 'the package is in a zip');
  world.assertCopied(world.run([process.execPath, ...yarn, 'node'], 'agent.mjs', project));
});

test('when an update removes the package under an agent, the agent goes on with a copy', async () => {
  await using world = new Agents();
  const { dist, agent } = world.copyOfPackage();
  const child = spawn(process.execPath, [agent, world.dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Answer> => JSON.parse((await answers.next()).value ?? 'null');
  assert.deepEqual(await next(), ofPackage(dist));
  rmSync(dist, { recursive: true });
  for (const _ of [1, 2]) {
    child.stdin.write('\n');
    world.assertCopied(await next());
  }
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('the shim runs even without a C library, as in an image of one program', async () => {
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

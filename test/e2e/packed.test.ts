import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../support/repository.ts';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const scratch = mkdtempSync(join(tmpdir(), 'outlive-packed-'));
const consumer = join(scratch, 'consumer');
after(() => rmSync(scratch, { recursive: true }));

test('the packed package installs into an empty project', () => {
  npm(root, 'pack', '--pack-destination', scratch);
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball, 'npm pack wrote no tarball');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
  // The dependencies, and theirs, come from our own node_modules, so that no registry is asked.
  npm(root, 'pack', '--pack-destination', scratch, ...dependenciesOf(manifest));
  const tarballs = readdirSync(scratch).filter((name) => name.endsWith('.tgz'));
  npm(
    consumer,
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    ...tarballs.map((name) => join(scratch, name)),
  );
  assert.deepEqual(readdirSync(join(consumer, 'node_modules', 'outlive')).sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'package.json',
    'src',
  ]);
});

test('what is loaded only when it is used is found there, too', () => {
  const program = `import { openStore } from 'outlive';
    const store = await openStore({ dir: process.argv[2] });
    const task = await (await store.session('s')).spawn('echo ready; exec sleep 1000');
    console.log((await task.waitFor({ pattern: /^r.*y$/ })).cause);
    await task.kill({ graceMs: 0 });
    await store.close();`;
  writeFileSync(join(consumer, 'waits.mjs'), program);
  assert.equal(run(process.execPath, ['waits.mjs', join(scratch, 'store')], consumer).trim(), 'pattern');
});

test('the MCP server of the package answers its client there', () => {
  const program = `import { openStore } from 'outlive';
    import { runStdioServer } from 'outlive/mcp';
    const store = await openStore({ dir: process.argv[2] });
    await runStdioServer({ store, session: 's' });
    await store.close();`;
  writeFileSync(join(consumer, 'serves.mjs'), program);
  const clientInfo = { name: 'test', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const input = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`;
  const args = ['serves.mjs', join(scratch, 'store')];
  assert.match(run(process.execPath, args, consumer, input), /"serverInfo":\{"name":"outlive"/);
});

test('a program in that project can import openStore', () => {
  const program = "import { openStore } from 'outlive'; console.log(typeof openStore);";
  writeFileSync(join(consumer, 'program.mjs'), program);
  assert.equal(run(process.execPath, ['program.mjs'], consumer).trim(), 'function');
});

test("a TypeScript program in that project type-checks, the package's declarations included", () => {
  const program =
    "import { openStore } from 'outlive';\nexport const open: () => Promise<unknown> = openStore;\n";
  writeFileSync(join(consumer, 'program.ts'), program);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [tsc, ...options, ...types, 'program.ts'], consumer);
});

/** The folders of all that a package needs, and of what that needs. */
function dependenciesOf({ dependencies = {} }: Manifest, found = new Set<string>()): string[] {
  for (const name of Object.keys(dependencies)) {
    const folder = join(root, 'node_modules', name);
    if (found.has(folder)) continue;
    found.add(folder);
    dependenciesOf(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')), found);
  }
  return [...found];
}

function npm(cwd: string, ...args: string[]): void {
  // Under `npm test` the npm that runs us is known by path; that works on Windows too, where npm is not a program.
  const cli = process.env.npm_execpath;
  if (cli) run(process.execPath, [cli, ...args], cwd);
  else run('npm', args, cwd);
}

function run(command: string, args: readonly string[], cwd: string, input = ''): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', timeout: 120_000, input });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

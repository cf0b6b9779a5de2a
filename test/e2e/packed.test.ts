import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { root } from '../support/repository.ts';

const scratch = mkdtempSync(join(tmpdir(), 'outlive-packed-'));
const consumer = join(scratch, 'consumer');
after(() => rmSync(scratch, { recursive: true }));

test('the packed package installs into an empty project', () => {
  npm(root, 'pack', '--pack-destination', scratch);
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball, 'npm pack wrote no tarball');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "private": true, "type": "module" }');
  npm(consumer, 'install', '--offline', '--no-audit', '--no-fund', join(scratch, tarball));
  assert.deepEqual(readdirSync(join(consumer, 'node_modules', 'outlive')).sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'package.json',
    'src',
  ]);
});

test('the keeper is where a spawning process looks for it', () => {
  const file = join(consumer, 'node_modules/outlive/dist/bin/keeper.js');
  // A store that is not there is none of its business.
  assert.equal(run(process.execPath, [file, join(scratch, 'no-store'), 'keeper-0-1-1'], consumer), '');
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

function npm(cwd: string, ...args: string[]): void {
  // Under `npm test` the npm that runs us is known by path; that works on Windows too, where npm is not a program.
  const cli = process.env.npm_execpath;
  if (cli) run(process.execPath, [cli, ...args], cwd);
  else run('npm', args, cwd);
}

function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', timeout: 120_000 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

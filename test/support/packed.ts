import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './repository.ts';
import { fixturePath } from './world.ts';

/** Where the test files of one run share things; `npm test` makes it and removes it. */
const scratch = process.env.OUTLIVE_TEST_SCRATCH ?? ownScratch();

/**
 * A project elsewhere into which the packed tarball is installed, as users have it. Made once for all test files
 * of a run: it takes seconds. Nothing of the repository is above it, so a dependency that package.json does not
 * name is not found.
 */
export function installedPackage(): string {
  const consumer = join(scratch, 'consumer');
  if (existsSync(consumer)) return consumer;
  const draft = mkdtempSync(join(scratch, 'draft-'));
  const tarball = packInto(draft);
  const project = join(draft, 'consumer');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  // Many install nothing's scripts, so the package has to work without.
  npm(project, 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball);
  // Editors bring the SDK of ACP themselves.
  const scope = join('node_modules', '@agentclientprotocol');
  mkdirSync(join(project, scope));
  symlinkSync(join(root, scope, 'sdk'), join(project, scope, 'sdk'));
  cpSync(fixturePath('acp-editor.mjs'), join(project, 'acp-editor.mjs'));
  try {
    renameSync(project, consumer);
  } catch (error) {
    // Another test file was faster.
    if (!existsSync(consumer)) throw error;
  }
  rmSync(draft, { recursive: true });
  return consumer;
}

/** A folder into which a package of npm is installed, once a run; npm's cache is asked first. */
export function installFromNpm(spec: string): string {
  const folder = join(scratch, spec);
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(folder, 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', spec);
  return folder;
}

/** Installs the packed package as `npm install --global` does, below a folder that is not there yet. */
export function installGlobally(prefix: string): void {
  mkdirSync(prefix);
  const tarball = packInto(prefix);
  npm(
    prefix,
    'install',
    '--global',
    '--prefix',
    prefix,
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    tarball,
  );
}

/** Packs the package into a folder; the path of the tarball. */
export function packInto(folder: string): string {
  npm(root, 'pack', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack wrote no tarball');
  return join(folder, tarball);
}

/** The executable of the installed package; on Windows, where the tests have no npm, that of the repository. */
export function installedCommand(): string {
  if (process.platform === 'win32') return join(root, 'dist', 'bin', 'outlive.cjs');
  return join(installedPackage(), 'node_modules', '.bin', 'outlive');
}

/** Runs a program to its end; what it printed is in the error when it fails. */
export function runProgram(command: string, args: readonly string[], cwd: string, input = ''): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe', timeout: 120_000, input });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

function npm(cwd: string, ...args: string[]): void {
  // Under `npm test` the npm that runs us is known by path; that works on Windows too, where npm is not a program.
  const cli = process.env.npm_execpath;
  if (cli) runProgram(process.execPath, [cli, ...args], cwd);
  else runProgram('npm', args, cwd);
}

/** A test file that is run alone cleans up after itself. */
function ownScratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'outlive-packed-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

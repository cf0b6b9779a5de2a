import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './repository.ts';
import { fixturePath, isLive } from './world.ts';

/** Where the test files of one run share things; `npm test` makes it and removes it. */
const scratch = process.env.OUTLIVE_TEST_SCRATCH ?? ownScratch();

/**
 * A project elsewhere into which the packed tarball is installed, as users have it. Made once for all test files
 * of a run: it takes seconds. Nothing of the repository is above it, so a dependency that package.json does not
 * name is not found.
 */
export function installedPackage(): string {
  return madeOnce('consumer', (project) => {
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
    // Many install nothing's scripts, so the package has to work without.
    npm(project, 'install', '--ignore-scripts', ...quickly, tarball());
    // Editors bring the SDK of ACP themselves.
    const scope = join('node_modules', '@agentclientprotocol');
    mkdirSync(join(project, scope));
    symlinkSync(join(root, scope, 'sdk'), join(project, scope, 'sdk'));
    // So do those who have a fleet the packages of NATS.
    symlinkSync(join(root, 'node_modules', '@nats-io'), join(project, 'node_modules', '@nats-io'));
    cpSync(fixturePath('acp-editor.mjs'), join(project, 'acp-editor.mjs'));
  });
}

/** A folder into which a package of npm is installed, once a run; npm's cache is asked first. */
export function installFromNpm(spec: string): string {
  return madeOnce(spec, (folder) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    npm(folder, 'install', '--ignore-scripts', ...quickly, spec);
  });
}

/** Installs the packed package as `npm install --global` does, below a folder that is not there yet. */
export function installGlobally(prefix: string): void {
  mkdirSync(prefix);
  npm(prefix, 'install', '--global', '--prefix', prefix, ...quickly, tarball());
}

/** The package as npm packs it. The build is not made anew: `npm test` has made it, and other tests run on it. */
export function tarball(): string {
  const folder = madeOnce('tarball', (draft) =>
    npm(root, 'pack', '--ignore-scripts', '--pack-destination', draft),
  );
  const packed = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (packed === undefined) throw new Error('npm pack wrote no tarball');
  return join(folder, packed);
}

/**
 * A folder that one test file of a run makes, and the others wait for: many begin at once, and to make it twice side by side
 * takes twice as long. When making it fails, the next one tries.
 */
function madeOnce(name: string, make: (draft: string) => void): string {
  const made = join(scratch, name);
  const claim = join(scratch, `${name}.claim`);
  while (!existsSync(made)) {
    if (!claims(claim)) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      continue;
    }
    try {
      if (existsSync(made)) break;
      const draft = mkdtempSync(join(scratch, 'draft-'));
      make(draft);
      renameSync(draft, made);
    } finally {
      rmSync(claim);
    }
  }
  return made;
}

/** Whether the file is ours now. One that a process has left which was killed is taken away. */
function claims(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const owner = ownerOf(path);
    if (owner > 0 && !isLive(owner)) rmSync(path, { force: true });
    return false;
  }
}

/** 0: it is gone, or its owner is about to write into it. */
function ownerOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return 0;
  }
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

/** What npm needs no time for. */
const quickly = ['--prefer-offline', '--no-audit', '--no-fund'];

/** A test file that is run alone cleans up after itself. */
function ownScratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'outlive-packed-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

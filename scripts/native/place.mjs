// Puts the shims where the compiled JavaScript looks for them: as files beside it, and in it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';
import { compile, hostCompiler, hostTarget, sourcesHash } from './compilers.mjs';
import { prebuiltShims, sha256 } from './prebuilt.mjs';

/** The folders that tsc writes the modules of src/ to. */
const outputs = ['build/src', 'dist'];

/**
 * The shims of all targets that there are: the prebuilt ones where they are made from the sources as they are, and one
 * for this machine, compiled if need be. On Windows tasks are run by another program.
 * @throws Error when there is none for this machine and no compiler.
 */
export function placeShims({ compiled = false } = {}) {
  const shims = prebuiltShims();
  if (process.platform !== 'win32' && (compiled || !shims.has(hostTarget)))
    shims.set(hostTarget, compiledShim(compiled));
  for (const output of outputs) if (existsSync(`${output}/shim`)) place(output, shims);
  return shims;
}

/** Compiled once for these sources, unless `afresh`. */
function compiledShim(afresh) {
  const file = `build/native/${sourcesHash().slice(0, 16)}/outlive-shim`;
  if (afresh || !existsSync(file)) {
    const compiler = hostCompiler();
    if (compiler === null) throw new Error(missingCompiler);
    compile(compiler, hostTarget, file);
  }
  return readFileSync(file);
}

const toInstall =
  process.platform === 'darwin'
    ? 'run xcode-select --install'
    : 'install musl-tools, or gcc and its C library';
const missingCompiler = `expected a C compiler for native/src, of which native/prebuilt has no binary for ${hostTarget}; found neither musl-gcc nor cc: ${toInstall}`;

function place(output, shims) {
  rmSync(`${output}/native`, { recursive: true, force: true });
  for (const [target, content] of shims) {
    const folder = `${output}/native/${target}/${sha256(content).slice(0, 16)}`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/outlive-shim`, content, { mode: 0o755 });
  }
  const hashes = Object.fromEntries([...shims].map(([target, content]) => [target, sha256(content)]));
  fill(`${output}/shim/embedded/hashes.js`, 'shimHashes', hashes);
  for (const target of ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])
    fill(`${output}/shim/embedded/${target}.js`, 'program', packed(shims.get(target)));
}

function packed(content) {
  if (content === undefined) return null;
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  return brotliCompressSync(content, { params }).toString('base64');
}

/** The value of a constant that the source leaves empty. Its line stays one line, and the source map right. */
function fill(file, name, value) {
  const text = readFileSync(file, 'utf8');
  const filled = text.replace(
    new RegExp(`^(export const ${name} = ).*;$`, 'm'),
    `$1${JSON.stringify(value)};`,
  );
  if (filled === text && !text.includes(`export const ${name} = ${JSON.stringify(value)};`))
    throw new Error(`expected "export const ${name}" in ${file}`);
  writeFileSync(file, filled);
}

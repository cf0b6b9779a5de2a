// The binaries of the shim that stand in the repository, and the page that says what they were made from and by what.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  compile,
  flagsOf,
  hostCompiler,
  hostTarget,
  identityOf,
  prebuildingCompiler,
  sourcesHash,
} from './compilers.mjs';

const folder = 'native/prebuilt';
const manifestPath = `${folder}/manifest.json`;

/** The targets that one machine builds: Linux on x64 those of Linux, a Mac those of macOS. */
const targets = process.platform === 'darwin' ? ['darwin-x64', 'darwin-arm64'] : ['linux-x64', 'linux-arm64'];

/** The path of the prebuilt binary of a target. */
const pathOf = (target) => `${folder}/${target}/outlive-shim`;

/** The hash of a file's content. */
export const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/**
 * The prebuilt binaries that are made from the sources as they are now, by target; none when they are not. One that is
 * not what the manifest says, such as one in which a checkout changed line ends, is left out.
 */
export function prebuiltShims() {
  const manifest = readManifest();
  const shims = new Map();
  if (manifest?.sources !== sourcesHash()) return shims;
  for (const [target, { sha256: wanted }] of Object.entries(manifest.binaries)) {
    if (!existsSync(pathOf(target))) continue;
    const content = readFileSync(pathOf(target));
    if (sha256(content) === wanted) shims.set(target, content);
    else console.error(`${pathOf(target)} is not the file that ${manifestPath} describes; it is not used`);
  }
  return shims;
}

function readManifest() {
  return existsSync(manifestPath) ? JSON.parse(readFileSync(manifestPath, 'utf8')) : null;
}

/** Builds the prebuilt binaries that this machine can build, all of them or none, and writes the manifest. */
export function renew() {
  const sources = sourcesHash();
  const old = readManifest();
  // What was made from other sources goes; what a machine of another system made from these stays.
  const binaries = old?.sources === sources ? old.binaries : {};
  const compilers = targets.map((target) => [target, prebuildingCompiler(target)]);
  if (compilers.some(([, compiler]) => compiler === null)) return 1;
  for (const [target, compiler] of compilers) {
    const bytes = compile(compiler, target, pathOf(target), { strict: true });
    chmodSync(pathOf(target), 0o755);
    binaries[target] = {
      ...identityOf(compiler, target),
      flags: flagsOf(target).join(' '),
      sha256: sha256(readFileSync(pathOf(target))),
      bytes,
    };
    console.log(`${pathOf(target)}: ${bytes} bytes, ${binaries[target].sha256}`);
  }
  const sorted = Object.fromEntries(Object.entries(binaries).sort(([a], [b]) => (a < b ? -1 : 1)));
  mkdirSync(folder, { recursive: true });
  writeFileSync(manifestPath, `${JSON.stringify({ sources, binaries: sorted }, null, 2)}\n`);
  return 0;
}

/** Whether the prebuilt binaries are made from these sources: built again, where the compiler is the same, byte for byte. */
export function verify() {
  const manifest = readManifest();
  const faults = [];
  if (manifest?.sources !== sourcesHash())
    faults.push(`${manifestPath} is about other sources: run node scripts/native.mjs --renew`);
  const described = Object.entries(manifest?.binaries ?? {});
  for (const [target, { sha256: wanted }] of described)
    if (!existsSync(pathOf(target)) || sha256(readFileSync(pathOf(target))) !== wanted)
      faults.push(`${pathOf(target)} is not the file that ${manifestPath} describes`);
  const scratch = mkdtempSync(join(tmpdir(), 'outlive-verify-'));
  try {
    for (const target of targets) {
      const fault = verifyTarget(target, manifest?.binaries[target], join(scratch, target));
      if (fault !== null) faults.push(fault);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

function verifyTarget(target, described, file) {
  const compiler = prebuildingCompiler(target) ?? (target === hostTarget ? hostCompiler() : null);
  if (compiler === null) return null;
  try {
    compile(compiler, target, file, { strict: true });
  } catch (error) {
    return error.message;
  }
  const identity = identityOf(compiler, target);
  const other = Object.keys(identity).find((part) => identity[part] !== described?.[part]);
  if (other !== undefined) {
    console.log(`${target}: it compiles; not compared: the ${other} differs: ${identity[other]}`);
    return null;
  }
  const found = sha256(readFileSync(file));
  if (found === described.sha256) {
    console.log(`${target}: built again, and the same in all its ${statSync(file).size} bytes`);
    return null;
  }
  return `${target}: built again by the same compiler, and it differs: expected ${described.sha256}, found ${found}`;
}

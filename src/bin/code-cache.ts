import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { constants, Script } from 'node:vm';
import { isSystemError } from '../errors/error.ts';

/*
 * V8 takes what it has compiled before. A cache file has a header, then what V8 made. The header holds a magic number and
 * the length of the code (32 bits each), the SHA-256 of all that follows it, and the verbs that have their functions in
 * the code. V8 checks that the code is of its version and of a source of that length; in release builds it does
 * not check the content, so we do: a disk that was full may have left half of it.
 */
const magic = 0x4f4c4302;
const hashAt = 8;
const verbsAt = 40;
/** V8 copies code that does not begin at a multiple of 8. */
const headerBytes = 256;

/** Nothing of ours is larger: two bundles have about 2 MB. */
const mostBytes = 32 * 1024 * 1024;

/** What no start has renewed for this long is of a version that is gone. */
const keptMs = 30 * 86_400_000;

/** A start is over by then. Of a process that goes on for long, V8 forgets what it has compiled and does not use. */
const startedMs = 5_000;

/** What a file has that is run by {@link runCached}. */
export interface Cacheable {
  /** The verb that this process does or has done; null: none, or it has failed. */
  readonly performedVerb: () => string | null;
}

interface Found {
  readonly code: Buffer;
  readonly verbs: readonly string[];
}

/**
 * Runs a bundle, with code that earlier starts have compiled. The first start of each verb adds what it needs.
 * @param cachePath where that code is kept, in a folder that only this user can write; V8's version is added to it.
 * @returns what the file exports.
 */
export function runCached(file: string, cachePath: string): unknown {
  // Versions of Node 20 before 20.12 cannot say where `import()` begins to look.
  const loader = constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const require = createRequire(file);
  if (loader === undefined) return require(file);
  const path = `${cachePath}-${cachedDataVersionTag()}.code`;
  const found = readCode(path);
  // The build writes nothing but ASCII.
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    importModuleDynamically: loader,
    ...(found === null ? {} : { cachedData: found.code }),
  });
  const module: { exports: Partial<Cacheable> } = { exports: {} };
  const { exports } = module;
  // The build has put a function around the program.
  script.runInThisContext().call(exports, exports, require, module, file, dirname(file));
  const known = found === null || script.cachedDataRejected === true ? null : found.verbs;
  keepWhenStarted(path, script, { known, performed: () => module.exports.performedVerb?.() ?? null });
  return module.exports;
}

/** At the end all functions that this start needed are compiled; what does not end soon has them by then. */
function keepWhenStarted(
  path: string,
  script: Script,
  { known, performed }: { known: readonly string[] | null; performed: () => string | null },
): void {
  let kept = 0;
  const keepMore = (): void => {
    const verb = performed();
    if (known !== null && (verb === null || known.includes(verb))) return;
    const code = script.createCachedData();
    if (code.length > kept) keep(path, { code, verbs: [...(known ?? []), ...(verb === null ? [] : [verb])] });
    kept = Math.max(kept, code.length);
  };
  setTimeout(keepMore, startedMs).unref();
  process.once('exit', keepMore);
}

function readCode(path: string): Found | null {
  try {
    if (statSync(path).size > mostBytes) return null;
    const bytes = readFileSync(path);
    if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magic) return null;
    const code = bytes.subarray(headerBytes);
    const isWhole =
      bytes.readUInt32LE(4) === code.length && hashOf(bytes).equals(bytes.subarray(hashAt, verbsAt));
    if (!isWhole) return null;
    const [verbs = ''] = bytes.toString('latin1', verbsAt, headerBytes).split('\0');
    return { code, verbs: verbs === '' ? [] : verbs.split(' ') };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return null;
  }
}

/** Written whole or not at all; who cannot write starts as slowly as before. */
function keep(path: string, { code, verbs }: Found): void {
  const bytes = Buffer.concat([Buffer.alloc(headerBytes), code]);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(code.length, 4);
  bytes.write(verbs.join(' '), verbsAt, headerBytes - verbsAt - 1, 'latin1');
  hashOf(bytes).copy(bytes, hashAt);
  const draft = `${path}.${process.pid}.draft`;
  try {
    writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 });
    renameSync(draft, path);
    sweep(dirname(path), basename(path));
  } catch (error) {
    rmSync(draft, { force: true });
    if (!isSystemError(error)) throw error;
  }
}

/** Removes what other versions have left. */
function sweep(folder: string, own: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isOurs = /^program(?:-with-[a-z]+)?-[0-9a-f]+-\d+\.code(?:\.\d+\.draft)?$/.test(name);
    if (isOurs && name !== own && Date.now() - statSync(path).mtimeMs > keptMs) rmSync(path, { force: true });
  }
}

/** Against accidents; nobody else can write there. */
function hashOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes.subarray(verbsAt)).digest();
}

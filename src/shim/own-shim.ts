import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expected, tolerate } from '../errors/expected.ts';
import { crypto } from '../util/crypto.ts';
import { shimHashes } from './embedded/hashes.ts';

const unreadable = expected('absent', 'refused', 'scarce', 'failing');

/** Where a shim of one platform and processor comes from. */
export interface ShimSource {
  /** Platform and processor, such as `linux-x64`. */
  readonly target: string;
  /** The platforms and processors that there are shims of. */
  readonly targets: readonly string[];
  /** The hash of the shim's content; `null` if there is no shim for the target. */
  readonly sha256: string | null;
  /** The file of the package; `null` when the package is a part of another file. */
  readonly file: string | null;
  /** Reads the file while it is there, for an update may remove it while we run. */
  readonly remember: () => void;
  /** The source of a copy; `null` if it no longer exists. */
  readonly content: () => Promise<Uint8Array | null>;
}

/** Bundlers follow a path only where it is written out. */
const embedded: Readonly<Record<string, () => Promise<{ readonly program: string | null }>>> = {
  'linux-x64': () => import('./embedded/linux-x64.ts'),
  'linux-arm64': () => import('./embedded/linux-arm64.ts'),
  'darwin-x64': () => import('./embedded/darwin-x64.ts'),
  'darwin-arm64': () => import('./embedded/darwin-arm64.ts'),
};

/** The shim of this package for this machine, or for another when a test says so. */
export function ownShim(target: string = `${process.platform}-${process.arch}`): ShimSource {
  const sha256 = shimHashes[target] ?? null;
  const file = sha256 === null ? null : packageFile(target, sha256);
  let read: Uint8Array | null = null;
  const remember = (): void => {
    read ??= file === null ? null : contentOf(file);
  };
  return {
    target,
    targets: Object.keys(shimHashes),
    sha256,
    file,
    remember,
    content: async () => {
      remember();
      const isWhole = read !== null && crypto().createHash('sha256').update(read).digest('hex') === sha256;
      return isWhole ? read : await unpacked(target);
    },
  };
}

/**
 * The path contains the hash: an update puts another shim beside it and never in its place, so every process gets the
 * shim of its own version. Inside a bundle this module has another name. We do not know the files beside a bundle: its
 * folder may be one that everybody can write.
 */
function packageFile(target: string, sha256: string): string | null {
  // Where a bundler makes CommonJS of it there is no URL.
  const here: string | undefined = import.meta.url;
  if (here === undefined || !/\/shim\/own-shim\.[jt]s$/.test(here)) return null;
  return fileURLToPath(new URL(`../native/${target}/${sha256.slice(0, 16)}/outlive-shim`, here));
}

function contentOf(file: string): Uint8Array | null {
  try {
    return readFileSync(file);
  } catch (error) {
    // Removed, or not to be read just now: there is the embedded one.
    tolerate(error, unreadable, 'reading the shim of the package');
    return null;
  }
}

async function unpacked(target: string): Promise<Uint8Array | null> {
  const { program } = await (embedded[target]?.().catch(moduleIsGone) ?? { program: null });
  if (program === null) return null;
  // Most never need it, and it takes milliseconds to load.
  const { brotliDecompressSync } = await import('node:zlib');
  return brotliDecompressSync(Buffer.from(program, 'base64'));
}

/** Somebody has removed the package since this process started. */
function moduleIsGone(error: unknown): { readonly program: null } {
  const isGone = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
  if (!isGone) tolerate(error, unreadable, 'reading the embedded shim');
  return { program: null };
}

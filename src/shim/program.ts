import { isAbsolute } from 'node:path';
import { OutliveError } from '../errors/error.ts';
import { noexec, refusal, shimUnavailable, whyNotExecutable } from './executable.ts';
import { ownShim, type ShimSource } from './own-shim.ts';
import { copyPath, keepCopy } from './store-copy.ts';

/** The name of the shim in `ps`, in front of its task's id. */
export const shimName = 'outlive-shim';

/** An attempt to execute a shim that the system refused. */
export interface ShimFailure {
  /** What {@link shimProgram} had returned. */
  readonly path: string;
  /** What the system said, such as `EACCES`. */
  readonly code: string;
}

/** Which shim runs the tasks of a store. */
export interface ShimChoice {
  readonly path: string;
  /** `environment`: `OUTLIVE_SHIM` names it. `package`: the package's own file. `store`: a copy in the store. */
  readonly from: 'environment' | 'package' | 'store';
  /** The hash of its content; `null` of what `OUTLIVE_SHIM` names. */
  readonly sha256: string | null;
}

/**
 * Finds the shim for the tasks of one store: what `OUTLIVE_SHIM` names, else the file of the package if it can be
 * executed, else a copy in the store. Packages may be in an archive or in one file with an agent, lose modes on their
 * way, and be removed by an update while we run.
 */
export class ShimFinder {
  readonly #storeDir: string;
  readonly #source: ShimSource;
  /** What the system refused to execute although nothing was seen that speaks against it, and what it said. */
  readonly #refused = new Map<string, string>();
  #found: Promise<string> | null = null;

  constructor(storeDir: string, source: ShimSource) {
    this.#storeDir = storeDir;
    this.#source = source;
  }

  /** See {@link shimProgram}. */
  async path(failed?: ShimFailure): Promise<string> {
    // Of several spawns that failed with one path, the first looks again, and the others take what it found.
    const found = this.#found;
    if (failed !== undefined && (await found) === failed.path && this.#found === found) this.#refuse(failed);
    this.#found ??= this.#find().catch((error) => {
      this.#found = null;
      // Somebody may mend it while we run.
      this.#refused.clear();
      throw error;
    });
    return await this.#found;
  }

  /** What would be taken; a copy that is not there yet is not made. See {@link shimProgram} for what it throws. */
  choose(): ShimChoice {
    const named = process.env.OUTLIVE_SHIM;
    if (named) return this.#named(named);
    const { file, sha256 } = this.#known();
    if (file !== null && !isVirtual() && this.#whyNot(file) === null)
      return { path: file, from: 'package', sha256 };
    const copy = copyPath(this.#storeDir, sha256);
    // Another obstacle goes when the copy is written again.
    if (this.#whyNot(copy) === noexec) throw this.#noPlace(file, copy);
    return { path: copy, from: 'store', sha256 };
  }

  #refuse({ path, code }: ShimFailure): void {
    this.#found = null;
    // Busy: another process was started while we wrote it, and has the descriptor for a moment.
    // What is gone, or has lost its mode, is seen to be so, and a copy is written again.
    if (code !== 'ETXTBSY' && whyNotExecutable(path) === null) this.#refused.set(path, code);
  }

  async #find(): Promise<string> {
    const { path, from } = this.choose();
    if (from === 'package') this.#source.remember();
    if (from !== 'store') return path;
    const { file, sha256 } = this.#known();
    await keepCopy(this.#storeDir, sha256, () => this.#content());
    if (this.#whyNot(path) !== null) throw this.#noPlace(file, path);
    return path;
  }

  #noPlace(file: string | null, copy: string): OutliveError {
    const first = file === null || isVirtual() ? '' : `${file} ${this.#whyNot(file)}, and `;
    return shimUnavailable(
      `that ${first}the copy ${copy} ${this.#whyNot(copy)}`,
      'Put the store on a file system that lets programs run, by the option "dir" or OUTLIVE_HOME, or name a shim elsewhere by OUTLIVE_SHIM.',
    );
  }

  #named(path: string): ShimChoice {
    const whyNot = isAbsolute(path) ? this.#whyNot(path) : 'is no absolute path';
    if (whyNot === null) return { path, from: 'environment', sha256: null };
    throw shimUnavailable(
      `that ${JSON.stringify(path)}, which OUTLIVE_SHIM names, ${whyNot}`,
      'Name a shim by its absolute path, or unset OUTLIVE_SHIM.',
    );
  }

  #known(): { readonly file: string | null; readonly sha256: string } {
    const { file, sha256, target, targets } = this.#source;
    if (sha256 !== null) return { file, sha256 };
    if (targets.length === 0)
      throw shimUnavailable('that this outlive was compiled without one', 'Build it by: npm run build');
    throw new OutliveError(
      'UNSUPPORTED_PLATFORM',
      `expected a platform that there is a shim for: ${targets.join(', ')}; found ${target}. Compile native/src of the repository there, and name the program by OUTLIVE_SHIM.`,
    );
  }

  async #content(): Promise<Uint8Array> {
    const content = await this.#source.content();
    if (content !== null) return content;
    throw shimUnavailable(
      'that it is not where it was when this process started, nor in its JavaScript',
      'Was the package removed? Install it, and start this process again.',
    );
  }

  #whyNot(path: string): string | null {
    const code = this.#refused.get(path);
    return code === undefined ? whyNotExecutable(path) : refusal(code);
  }
}

/** Yarn's Plug'n'Play shows files in archives to Node; the system knows nothing of them. */
function isVirtual(): boolean {
  return process.versions.pnp !== undefined;
}

const finders = new Map<string, ShimFinder>();

/** The finder of a store in this process. */
export function shimFinder(storeDir: string): ShimFinder {
  const finder = finders.get(storeDir) ?? new ShimFinder(storeDir, ownShim());
  finders.set(storeDir, finder);
  return finder;
}

/**
 * The absolute path of a shim that can be executed, for the tasks of a store. It is looked for once a process and store.
 * @param options `failed`: the system refused to execute what was returned. Another path is returned then, or the same
 * one when the program was gone there and was written again.
 * @throws OutliveError `SHIM_UNAVAILABLE`, `UNSUPPORTED_PLATFORM`, `STORE_UNWRITABLE`, `READ_FAILED`.
 */
export async function shimProgram(
  storeDir: string,
  options: { readonly failed?: ShimFailure } = {},
): Promise<string> {
  return await shimFinder(storeDir).path(options.failed);
}

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Session, type SessionOptions, type Store } from '../src/index.ts';

/** Carried by every process of a run, our own helpers included, so that the end of the run finds them all. */
const markVariable = 'OUTLIVE_BENCH';

/**
 * A benchmark's own folder and store, on the disk that is to be measured. What runs in it ends with it. Its
 * files stay until the end of the run: ext4 takes several times as long to make a file where others were
 * removed a moment ago, and the next benchmark would pay for that.
 */
export class Ground implements AsyncDisposable {
  readonly dir: string;
  readonly #stores: Store[] = [];
  #files = 0;

  constructor(parent: string) {
    process.env[markVariable] ??= `${process.pid}.${randomBytes(8).toString('hex')}`;
    this.dir = mkdtempSync(join(parent, 'outlive-bench-'));
    folders.push(this.dir);
  }

  /** Where this ground's store is. */
  get storeDir(): string {
    return join(this.dir, 'store');
  }

  /** Opens a session of this ground's store, through a store object of its own. */
  async session(id: string, options: SessionOptions = {}): Promise<Session> {
    const store = await openStore({ dir: this.storeDir });
    this.#stores.push(store);
    return await store.session(id, options);
  }

  /** The path of a file that does not exist yet. */
  newFile(): string {
    this.#files += 1;
    return join(this.dir, `file-${this.#files}`);
  }

  /** A new empty folder. */
  newFolder(): string {
    const path = this.newFile();
    mkdirSync(path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Without /proc, the library itself is what can stop everything.
    if (process.platform !== 'linux') await this.#shutDown();
    for (const store of this.#stores) await store.close();
    killMarked();
  }

  async #shutDown(): Promise<void> {
    const store = await openStore({ dir: this.storeDir });
    for (const id of store.sessions()) await (await store.session(id)).shutdown({ graceMs: 0 });
    await store.close();
  }
}

const folders: string[] = [];

/** The end of a run, or when it is broken off: ends what runs and removes what was written, at once. */
export function clearGrounds(): void {
  killMarked();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** SIGKILL for every process that carries this run's mark, but for this one; again until none is left. */
function killMarked(): void {
  while (markedPids().filter(kill).length > 0);
}

/** The processes of this run, and of no other that goes on beside it; without this one. */
export function markedPids(): number[] {
  const entry = `${markVariable}=${process.env[markVariable]}\0`;
  return allPids().filter((pid) => {
    if (pid === process.pid) return false;
    const environ = readOr(`/proc/${pid}/environ`, '');
    return environ.startsWith(entry) || environ.includes(`\0${entry}`);
  });
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Every pid of the machine; none where there is no /proc. */
export function allPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** The text of a small file, or what is to stand for it when it cannot be read. */
export function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return otherwise;
  }
}

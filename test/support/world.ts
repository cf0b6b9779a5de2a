import './suppressed-error.ts';
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openStore,
  type Session,
  type SessionOptions,
  type Store,
  type StoreOptions,
} from '../../src/index.ts';
import { listProcesses, resume } from '../../src/platform/windows/processes.ts';
import { type SessionPaths, sessionPathsIn } from '../../src/tasklog/paths.ts';
import { factsOf } from './logs.ts';
import {
  commandLineOf,
  cookieOf,
  groupOf,
  isShim,
  livePids,
  lives,
  onWindows,
  openFiles,
  pidsBeside,
} from './processes.ts';
import { root } from './repository.ts';

/** A log that a test has filled is not asked whose processes these are. */
const mostReadBytes = 100_000_000;

/** Nothing that a test waits for takes this long unless it is broken. */
const brokenAfterMs = onWindows ? 60_000 : 20_000;

/** The longest pause between two looks. */
const mostBetweenMs = 50;

/** The shortest one. A look at processes keeps all others from working in Wine. */
const lookMs = onWindows ? 40 : 5;

/** What every process of the tests loads first, so that no warning goes unseen. */
const warningReporter = fixturePath('reports-warnings.cjs');

// This process, and those that it starts with its environment.
createRequire(import.meta.url)(warningReporter);
process.env.NODE_OPTIONS =
  `${process.env.NODE_OPTIONS ?? ''} --require=${JSON.stringify(warningReporter)}`.trim();

/** A store of a test's own. Disposing of it fails the test when processes, descriptors or temporary files are left, or outlive has warned of something. */
export class World implements AsyncDisposable {
  // With forward slashes on Windows too, so that the commands of tests may name files in it.
  readonly base: string;
  /** The store's folder. */
  readonly dir: string;
  readonly #stores: Store[] = [];
  readonly #descriptors = openFiles();

  /** @param folder where the world is made, which tells the file system. */
  constructor(folder = tmpdir()) {
    this.base = mkdtempSync(join(folder, 'outlive-test-')).replaceAll('\\', '/');
    this.dir = `${this.base}/store`;
  }

  /** Opens the world's store, which is closed at the end. */
  async store(options: StoreOptions = {}): Promise<Store> {
    const store = await openStore({ dir: this.dir, ...options });
    this.#stores.push(store);
    return store;
  }

  /** Opens a session of the world's store, through a store object of its own. */
  async session(id = 'test', options: SessionOptions & { store?: StoreOptions } = {}): Promise<Session> {
    const { store, ...rest } = options;
    return await (await this.store(store)).session(id, rest);
  }

  /** Live processes that carry the cookie of a task, or are in that group; not its shim. */
  pidsOf(taskId: string, group?: number): number[] {
    const beside = onWindows ? this.#beside([taskId]) : [];
    return livePids().filter(
      (pid) =>
        !isShim(pid) &&
        (cookieOf(pid)?.startsWith(`${taskId}.`) ||
          (group && groupOf(pid) === group) ||
          beside.includes(pid)),
    );
  }

  /** Every live process that belongs to a task of this world's store, shims included. */
  pids(): number[] {
    const ids = new Set(this.taskIds());
    const beside = onWindows ? this.#beside([...ids]) : [];
    return livePids().filter((pid) => ids.has(cookieOf(pid)?.split('.')[0] ?? '') || beside.includes(pid));
  }

  /** The same without shims, which end a moment after they have said that nothing is left. */
  commandPids(): number[] {
    return this.pids().filter((pid) => !isShim(pid));
  }

  /** Live processes in the jobs of tasks. */
  #beside(taskIds: readonly string[]): number[] {
    return taskIds.flatMap((id) => {
      const log = this.logOf(id);
      // A test may have put a folder there.
      const stat = statSync(log);
      const facts = stat.isFile() && stat.size < mostReadBytes ? factsOf(log) : [];
      const spec = facts.find((fact) => fact.fact === 'spec');
      return spec === undefined ? [] : pidsBeside(spec.cookie);
    });
  }

  /** On Windows, sentinels and keepers of the stores below this world's folder. They end when the tasks have. */
  keepers(): number[] {
    if (!onWindows) return [];
    return livePids().filter((pid) => {
      const line = commandLineOf(pid);
      return (
        line?.replaceAll('\\', '/').includes(`${this.base}/`) &&
        /outlive sentinel|bin[\\/]keeper\.js/.test(line)
      );
    });
  }

  /**
   * When its store is closed a sentinel waits a second and starts a keeper, which finds nothing: three seconds a test in
   * Wine. So our own, which block until then, are ended before. A keeper that is there already ends by itself.
   */
  #endOwnSentinels(): void {
    if (!onWindows) return;
    for (const { pid, parent } of listProcesses())
      if (parent === process.pid && commandLineOf(pid)?.includes('outlive sentinel')) kill(pid);
  }

  /** The ids of all tasks in the store, of all sessions, from the names of their logs. */
  taskIds(): string[] {
    // One that is put away during a look is seen in the next.
    const ids = [...this.files(), ...this.files()]
      .filter((path) => /\/(?:tasks|done\/[^/]+)\/bgb-[0-9a-f]{12}\.jsonl$/.test(path))
      .map((path) => path.slice(-'bgb-123456781234.jsonl'.length, -'.jsonl'.length));
    return [...new Set(ids)];
  }

  /** The path of a task's log. */
  logOf(taskId: string): string {
    const find = () => this.files().find((file) => file.endsWith(`/${taskId}.jsonl`));
    // One that is put away during a look is seen in the next.
    const path = find() ?? find();
    assert.ok(path, `expected a log of ${taskId} in ${this.dir}`);
    return `${this.dir}${path}`;
  }

  /** The files of the session that has a task. */
  sessionOf(taskId: string): SessionPaths {
    return sessionPathsIn(/^.*[/]sessions[/][^/]+/.exec(this.logOf(taskId))?.[0] ?? '');
  }

  /** All files below the store, as paths from its folder. The one that says how far it was gone through gets other names. */
  files(): string[] {
    try {
      return readdirSync(this.dir, { recursive: true, encoding: 'utf8' }).map((path) =>
        `/${path.replaceAll('\\', '/')}`.replace(/^\/retained-[\w,-]+$/, '/retained'),
      );
    } catch {
      return [];
    }
  }

  /** What outlive has warned of, in whichever process, with the stack; a test that expects some takes them. */
  takeWarnings(): string {
    const paths = readdirSync(this.base)
      .filter((name) => name.endsWith('.warnings'))
      .map((name) => join(this.base, name));
    const text = paths.map((path) => readFileSync(path, 'utf8')).join('');
    for (const path of paths) rmSync(path);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#endOwnSentinels();
      for (const store of this.#stores) await store.close();
      // SIGKILL goes to processes of this world's own tasks alone: they carry its cookies.
      // Again and again, since one that was just forked was not among those seen.
      await waitFor(() => {
        const left = this.pids();
        for (const pid of left) kill(pid);
        return left.length === 0;
      }, 'the processes of the test to be gone');
      await waitFor(() => {
        const left = this.keepers();
        // A sentinel that was ended while it created its keeper has not let that run.
        for (const pid of left) resume(pid, null);
        return left.length === 0;
      }, 'the keeper and its sentinels to be gone');
      assert.equal(this.takeWarnings(), '', 'outlive has warned');
      // What a spawner that died has left of the claim of a key goes with its task.
      const strays = () =>
        this.files().filter((path) => /(?<!\.exit|\/keys\/[^/]+)\.tmp$|\.cut$|^\/keeper-/.test(path));
      // An output may be on its way to be shorter.
      await waitFor(() => strays().length === 0, 'temporary files to be gone').catch(() => {
        assert.deepEqual(strays(), [], 'temporary files are left');
      });
      await waitFor(() => openFiles().length <= this.#descriptors.length, 'descriptors to be closed').catch(
        () => {
          assert.deepEqual(openFiles(), this.#descriptors, 'descriptors are left open');
        },
      );
    } finally {
      await removeFolder(this.base);
    }
  }
}

/** The pids of all processes that are alive (zombies are not). */
export function processes(): number[] {
  return livePids();
}

/** Whether a pid is alive and no zombie. */
export function isLive(pid: number): boolean {
  return lives(pid);
}

/** The path of a program of test/fixtures. */
export function fixturePath(name: string): string {
  return join(root, 'test', 'fixtures', name);
}

/** The command that runs a fixture program of test/fixtures. */
export function fixture(name: string, ...args: string[]): string {
  const path = fixturePath(name);
  const program = name.endsWith('.mjs') ? [process.execPath, path] : ['sh', path];
  return [...program, ...args].map(quote).join(' ');
}

/** A word as a shell takes it literally. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Waits for a condition; an error that says what was waited for when it does not come true. */
export async function waitFor(
  condition: () => unknown,
  what: string,
  withinMs = brokenAfterMs,
): Promise<void> {
  const begin = performance.now();
  while (!(await condition())) {
    const waitedMs = performance.now() - begin;
    if (waitedMs > withinMs) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    // A look may start a process. Who has waited for long can wait for a little longer.
    const pauseMs = Math.min(Math.max(lookMs, waitedMs / 8), mostBetweenMs);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Removes a folder in which a process that ends may still make a file: Node removes such a one once, and then waits in vain. */
async function removeFolder(path: string): Promise<void> {
  let last: unknown;
  await waitFor(() => {
    try {
      rmSync(path, { recursive: true, force: true });
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  }, `${path} to be removed`).catch((error: Error) => {
    throw new Error(error.message, { cause: last });
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}

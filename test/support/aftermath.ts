import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { isEnded, openStore, type Session, type Store, type TaskSnapshot } from '../../src/index.ts';
import { commandsBelow, cookiesBelow, filesBelow, pidsBelow } from './below.ts';
import type { Told } from './crashes.ts';
import { hasFact } from './logs.ts';
import { onWindows } from './processes.ts';
import { letRetentionBeDue } from './retention.ts';
import { waitFor } from './world.ts';

/** What there was before anybody opened the store. */
interface Found {
  readonly dir: string;
  readonly told: Told;
  readonly asked: readonly string[];
  readonly acknowledged: readonly string[];
}

/** What another process finds in a store whose user was killed. */
export class Aftermath implements AsyncDisposable {
  readonly dir: string;
  readonly told: Told;
  readonly store: Store;
  readonly session: Session;
  /** All tasks, when each has ended. */
  tasks: TaskSnapshot[] = [];
  /** The tasks whose completion was acknowledged when the process died. */
  readonly acknowledged: readonly string[];
  /** The tasks that were to be stopped when the process died. */
  readonly #asked: readonly string[];

  private constructor(
    { dir, told, asked, acknowledged }: Found,
    { store, session }: { readonly store: Store; readonly session: Session },
  ) {
    this.dir = dir;
    this.told = told;
    this.#asked = asked;
    this.acknowledged = acknowledged;
    this.store = store;
    this.session = session;
  }

  /** Looks at the processes that are there, then opens the store as the next process would. */
  static async of(dir: string, told: Told): Promise<Aftermath> {
    const running = cookiesBelow(dir).map(idOf);
    for (const id of running) {
      const log = logOf(dir, id);
      assert.ok(log !== undefined && hasFact(log, 'spec'), `a process of ${id} runs unrecorded`);
    }
    for (const id of commandsBelow(dir).map(idOf))
      assert.ok(!told.stopped.includes(id), `a process of ${id} runs, which was answered to be stopped`);
    const asked = running.filter((id) => hasFact(logOf(dir, id) ?? '', 'stop'));
    const logs = filesBelow(dir).filter((path) => path.endsWith('.jsonl'));
    const acknowledged = logs
      .filter((path) => hasFact(path, 'delivered'))
      .map((path) => basename(path, '.jsonl'));
    const store = await openStore({ dir });
    return new Aftermath({ dir, told, asked, acknowledged }, { store, session: await store.session('test') });
  }

  /** What holds whenever the process died. */
  async check(): Promise<void> {
    await this.#endAll();
    this.#checkNoneIsForgotten();
    this.#checkVerdicts();
    this.#checkModes();
    await this.#checkCompletions();
    assert.deepEqual(commandsBelow(this.dir), [], 'processes are left');
    await waitFor(() => cookiesBelow(this.dir).length === 0, 'the shims to end');
  }

  /** What crashes leave is swept when it is old enough: all is made to look old, and the store opened again. */
  async checkNothingIsLeft(): Promise<void> {
    await this.session.close();
    await this.store.close();
    const old = Date.now() / 1000 - 7_200;
    for (const path of filesBelow(this.dir)) utimesSync(path, old, old);
    letRetentionBeDue(this.dir);
    const store = await openStore({ dir: this.dir });
    await store.session('test');
    await store.close();
    const ids = this.tasks.map(({ taskId }) => taskId);
    // That a dead process had the session open is said until the next one says so of itself, after a second.
    const expected =
      /\/((?:store|session)\.json|retained-[\w,-]+|inotify|sessions\/[^/]+\/(?:queue|open-[-\w]+)|bin\/shim-[0-9a-f]{64})$|\/(?:tasks|done\/[\w-]+)\/(bgb-\w+)\.jsonl$|\/output\/(bgb-\w+)\.(?:out|err|out\.marks|err\.marks|out\.screen|cmd)$|\/keys\/(?:[0-9a-f]{64}|bgb-[.\w]+\.tmp)\/(bgb-\w+)\.[0-9a-f]{16}$/;
    const strays = (): string[] =>
      filesBelow(this.dir).filter((path) => {
        const [match, record, log, output, key] = expected.exec(path) ?? [];
        return match === undefined || (record === undefined && !ids.includes(log ?? output ?? key ?? ''));
      });
    // Output that is being shortened just now is there until it takes its place.
    await waitFor(() => strays().length === 0, 'strays to go').catch(() => undefined);
    assert.deepEqual(strays(), [], 'files are left that belong to no task');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    for (const pid of pidsBelow(this.dir)) process.kill(pid, 'SIGKILL');
  }

  async #endAll(): Promise<void> {
    for (const { taskId } of await this.session.tasks()) {
      const task = this.session.task(taskId);
      // Nobody has asked for the end of this one, and it has none.
      const runsOn = task.snapshot().labels.ends === 'killed' && !this.#asked.includes(taskId);
      if (runsOn) await task.kill({ graceMs: 0, ack: false });
      await task.wait({ ack: false });
    }
    this.tasks = await this.session.tasks();
    assert.ok(this.tasks.every(({ status }) => isEnded(status)));
  }

  #checkNoneIsForgotten(): void {
    const ids = this.tasks.map(({ taskId }) => taskId);
    for (const id of this.told.spawned) {
      assert.ok(ids.includes(id) || this.told.prunes.includes(id), `${id} was answered and is not there`);
    }
    for (const cookie of this.#ran().split('\n').filter(Boolean)) {
      const id = idOf(cookie);
      // Its record did not reach the disk, so it was taken back, and pruned with the others.
      if (this.told.pruned.length > 0 && this.told.refused.length > 0) continue;
      assert.ok(ids.includes(id) || this.told.prunes.includes(id), `${id} has run and is not there`);
    }
  }

  /** The cookies of the commands that have run, which each of them writes outside of the store. */
  #ran(): string {
    return existsSync(`${this.dir}.ran`) ? readFileSync(`${this.dir}.ran`, 'utf8') : '';
  }

  /** A label of each task says how its command ends. */
  #checkVerdicts(): void {
    const ran = this.#ran();
    for (const task of this.tasks) {
      const { taskId, labels, status, statusReason, exitCode, exitSignal, leftovers, delivered } = task;
      const ends = labels.ends ?? '';
      assert.deepEqual(leftovers, []);
      if (statusReason === 'spawn_aborted') {
        assert.equal(status, 'failed');
        assert.ok(!this.told.spawned.includes(taskId) && !ran.includes(taskId), 'aborted means: not run');
      } else if (onWindows && status === 'lost') {
        // Its spawner died when it had recorded that it starts, and before it let it run.
        assert.ok(!this.told.spawned.includes(taskId) && !ran.includes(taskId), 'lost means here: not run');
      } else if (statusReason === 'kill' && ends !== 'killed') {
        // Its record did not reach the disk, so it was refused, and taken back.
        assert.ok(delivered && this.told.calls !== null && !this.told.spawned.includes(taskId), taskId);
      } else if (exitSignal === 'SIGKILL' && status === 'failed' && this.told.calls !== null) {
        // It was refused and taken back, and by the time that could be recorded it was dead.
        assert.ok(!this.told.spawned.includes(taskId) && this.told.refused.length > 0, taskId);
      } else {
        assert.equal(ends === 'killed' ? status : `${status} ${exitCode}`, ends, taskId);
      }
    }
  }

  /** Nobody but the owner can look into a store. */
  #checkModes(): void {
    // Windows has no modes.
    if (onWindows) return;
    for (const path of [this.dir, ...readdirSync(this.dir, { recursive: true, encoding: 'utf8' })]) {
      // What was listed may be gone since.
      const { mode } = lstatSync(resolve(this.dir, path), { throwIfNoEntry: false }) ?? {};
      if (mode === undefined) continue;
      // A shim in the store is a program.
      const isExecuted = (mode & 0o170000) === 0o040000 || /(?:^|\/)bin\/shim-\w+$/.test(path);
      assert.equal((mode & 0o777).toString(8), isExecuted ? '700' : '600', path);
    }
  }

  /** Each task that ended is pending or was delivered, and what was answered as acknowledged is not pending. */
  async #checkCompletions(): Promise<void> {
    await waitFor(
      async () =>
        (await this.session.pending()).length === this.tasks.filter(({ delivered }) => !delivered).length,
      'the completions that are pending',
      2_000,
    );
    const pending = (await this.session.pending()).map(({ taskId }) => taskId);
    for (const { taskId, delivered } of this.tasks)
      assert.equal(pending.includes(taskId), !delivered, taskId);
    for (const id of this.told.acked)
      assert.ok(!pending.includes(id), `${id} was acknowledged and is pending`);
  }
}

function idOf(cookie: string): string {
  return cookie.split('.')[0] ?? '';
}

function logOf(dir: string, taskId: string): string | undefined {
  return filesBelow(dir).find((path) => path.endsWith(`/${taskId}.jsonl`));
}

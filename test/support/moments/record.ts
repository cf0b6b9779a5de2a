import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { isEnded, type TaskSnapshot } from '../../../src/index.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { namesIn } from '../../../src/tasklog/files.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { factsOf } from '../logs.ts';
import { cookieOf, groupOf, isShim, livePids, lives } from '../processes.ts';
import { type World, waitFor } from '../world.ts';

/** The session of one case as it is on disk, and the processes of its task. */
export class CaseRecord {
  readonly id: string;
  /** What the command writes into when it runs. */
  readonly ran: string;
  /** What opens the way for a queued one. */
  readonly gate: string;
  readonly #world: World;

  constructor(world: World, id: string) {
    this.id = id;
    this.#world = world;
    this.ran = `${world.base}/${id}.ran`;
    this.gate = `${world.base}/${id}.gate`;
  }

  /** The facts in the log of the case's task; null when there is none, or no spec in it. */
  facts(): readonly Fact[] | null {
    const { tasks } = sessionPaths(this.#world.dir, this.id);
    // A session without tasks is removed.
    for (const name of namesIn(tasks)) {
      if (!name.endsWith('.jsonl')) continue;
      const facts = factsOf(`${tasks}/${name}`);
      if (facts.some((fact) => fact.fact === 'spec' && fact.name === 'case')) return facts;
    }
    return null;
  }

  has(kind: Fact['fact']): boolean {
    return this.facts()?.some(({ fact }) => fact === kind) === true;
  }

  /** What the command has written down, and its hook. */
  lines(): string[] {
    try {
      return readFileSync(this.ran, 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  /** What is told while somebody is stopped. */
  checkMeanwhile(told: readonly TaskSnapshot[]): void {
    for (const { status, statusReason, leftovers, pid: commandPid } of told) {
      const ran = this.lines().filter((line) => line.startsWith('ran '));
      if (statusReason === 'spawn_aborted') assert.deepEqual(ran, [], 'aborted means: not run');
      // Until there is an outcome the shim has yet to say what is left of a command that has ended.
      const alive = this.has('outcome')
        ? this.#members()
        : this.#members().filter((pid) => pid === commandPid);
      if (isEnded(status) && leftovers.length === 0)
        assert.deepEqual(alive, [], `${status} is told while these run`);
    }
  }

  /** What has ended names what is alive of it. */
  checkNames(told: readonly TaskSnapshot[]): void {
    const alive = this.#members();
    for (const { status, leftovers } of told) {
      assert.ok(isEnded(status), `it has not ended: ${status}`);
      const named = leftovers.map(({ pid }) => pid);
      assert.deepEqual(
        alive.filter((pid) => !named.includes(pid)),
        [],
        `these run, and are not named by ${JSON.stringify(leftovers)}`,
      );
    }
  }

  /** What has run has its output. */
  async checkOutputs(told: readonly TaskSnapshot[], writes: string | undefined): Promise<void> {
    const ofCommand = this.lines().filter((line) => !line.startsWith('hooked'));
    if (ofCommand.length === 0) return;
    const comesToItsEnd = ofCommand.some((line) => line.startsWith('exit'));
    for (const { output } of told) {
      assert.ok(existsSync(output.path), 'its output is gone');
      if (writes === undefined || output.droppedBytes > 0 || !comesToItsEnd) continue;
      // What a pump has yet to move comes after the end of a shim that was killed.
      const text = (): string => readFileSync(output.path, 'utf8');
      await waitFor(() => text() === writes, 'all of its output').catch(() => assert.equal(text(), writes));
    }
  }

  /** @param poke called again and again meanwhile. */
  async untilNothingIsLeft(poke: () => void): Promise<void> {
    const found = (): number[] => {
      const all = this.#processes();
      return [...all.filter((pid) => isShim(pid) || lives(pid)), ...this.#hooks()];
    };
    await waitFor(
      () => {
        poke();
        return found().length === 0;
      },
      'the processes of the task to be gone',
      10_000,
    ).catch(() =>
      assert.deepEqual(
        found(),
        [],
        `these are left after a stop: ${found().map(describeProcess).join('; ')}`,
      ),
    );
  }

  describe(): string {
    const facts = this.facts()?.map((fact) => JSON.stringify(fact)) ?? ['no record'];
    const alive = [...this.#processes(), ...this.#hooks()].map(describeProcess);
    return [`the command: ${this.lines().join(', ')}`, ...facts, ...alive].join('\n');
  }

  #members(): number[] {
    // One that ends in the middle of the look has no name any more.
    return this.#processes().filter((pid) => !isShim(pid) && lives(pid));
  }

  /** What runs for a hook has a cookie of its own. */
  #hooks(): number[] {
    const spec = this.facts()?.find((fact) => fact.fact === 'spec');
    if (spec?.onExit === undefined) return [];
    return livePids().filter((pid) => cookieOf(pid)?.startsWith(`${spec.taskId}.`));
  }

  #processes(): number[] {
    const facts = this.facts() ?? [];
    const spec = facts.find((fact) => fact.fact === 'spec');
    const started = facts.find((fact) => fact.fact === 'started');
    if (spec === undefined) return [];
    return livePids().filter((pid) => groupOf(pid) === started?.pid || cookieOf(pid) === spec.cookie);
  }
}

/** What a process is doing. */
export function describeProcess(pid: number): string {
  try {
    const [stat, call, waits] = ['stat', 'syscall', 'wchan'].map((name) =>
      readFileSync(`/proc/${pid}/${name}`, 'latin1').trim(),
    );
    return `${stat} in ${call} (${waits})`;
  } catch {
    return `${pid} is gone`;
  }
}

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { isEnded, type TaskSnapshot } from '../../../src/index.ts';
import type { Fact } from '../../../src/model/facts.ts';
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
    const folder = this.#world
      .files()
      .find((path) => path.endsWith('/tasks') && path.includes(`/${this.id}-`));
    if (folder === undefined) return null;
    for (const name of readdirSync(`${this.#world.dir}${folder}`)) {
      if (!name.endsWith('.jsonl')) continue;
      const facts = factsOf(`${this.#world.dir}${folder}/${name}`);
      if (facts.some((fact) => fact.fact === 'spec' && fact.name === 'case')) return facts;
    }
    return null;
  }

  has(kind: Fact['fact']): boolean {
    return this.facts()?.some(({ fact }) => fact === kind) === true;
  }

  /** What the command has written down. */
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
      if (statusReason === 'spawn_aborted') assert.deepEqual(this.lines(), [], 'aborted means: not run');
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

  /** @param poke called again and again meanwhile. */
  async untilNothingIsLeft(poke: () => void): Promise<void> {
    const found = (): number[] => [...this.#members(), ...this.#shims()];
    await waitFor(
      () => {
        poke();
        return found().length === 0;
      },
      'the processes of the task to be gone',
      10_000,
    ).catch(() => assert.deepEqual(found(), [], 'these are left after a stop'));
  }

  describe(): string {
    const facts = this.facts()?.map((fact) => JSON.stringify(fact)) ?? ['no record'];
    return `the command: ${this.lines().join(', ')}\n${facts.join('\n')}`;
  }

  #members(): number[] {
    // One that ends in the middle of the look has no name any more.
    return this.#processes().filter((pid) => !isShim(pid) && lives(pid));
  }

  #shims(): number[] {
    return this.#processes().filter(isShim);
  }

  #processes(): number[] {
    const facts = this.facts() ?? [];
    const spec = facts.find((fact) => fact.fact === 'spec');
    const started = facts.find((fact) => fact.fact === 'started');
    if (spec === undefined) return [];
    return livePids().filter((pid) => groupOf(pid) === started?.pid || cookieOf(pid) === spec.cookie);
  }
}

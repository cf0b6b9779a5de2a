import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { Agent } from '../agents.ts';
import { isStopped } from '../moments/at-call.ts';
import { later } from '../moments/observer.ts';
import { readOnly } from '../namespaces.ts';
import { letRetentionBeDue } from '../retention.ts';
import { fixturePath, type World, waitFor } from '../world.ts';
import { checkShelf } from './check.ts';
import { act, type Deed, type Told } from './deeds.ts';
import { Shelf } from './shelf.ts';

/** A process that is stopped at one of its calls, and later goes on or is killed. */
export interface Halt {
  readonly deed: Deed;
  /** 0: it is not stopped. */
  readonly number: number;
  readonly fate: 'go on' | 'die';
}

/** One case: who is stopped where, and what others do meanwhile, for whom it is an hour later. */
export interface MoveCase {
  readonly halt: Halt;
  /** Another one, which is stopped while the first one is. */
  readonly second?: Halt;
  /** The second one goes on, or is killed, before the first. */
  readonly isSecondFirst?: boolean;
  /** By default nobody does anything. */
  readonly meanwhile?: Deed;
}

/** What an agent that can be stopped has besides. */
interface WithPauses {
  readonly diesAtCall: { pauseIn(calls: number): void };
}

/** An agent that is stopped at some call of what it does. */
interface Halted {
  readonly halt: Halt;
  readonly agent: Agent;
  /** What it has told; an error; null: neither yet. */
  told(): Told | Error | null;
}

/** Where logs are put away by processes that are stopped at any of their calls, and go on later or are killed. */
export class MoveStage implements AsyncDisposable {
  readonly #world: World;
  readonly #maker: Agent;
  readonly #observer: Agent;
  /** It can only read what is in the store. */
  readonly #reader: Agent;
  /** Those that can be stopped, and live. */
  readonly #spare: Agent[] = [];
  #cases = 0;

  private constructor(world: World, [maker, observer, reader]: readonly [Agent, Agent, Agent]) {
    [this.#world, this.#maker, this.#observer, this.#reader] = [world, maker, observer, reader];
  }

  static async set(world: World): Promise<MoveStage> {
    const { dir } = world;
    const maker = await Agent.start(dir, { sessionId: 'idle' });
    const node = ['--import', later];
    const observer = await Agent.start(dir, { sessionId: 'idle', node });
    const reader = await Agent.start(dir, { sessionId: 'idle', node, before: readOnly(dir) });
    return new MoveStage(world, [maker, observer, reader]);
  }

  /** How many calls a process makes for one of its deeds. */
  async count(deed: Deed): Promise<number> {
    const calls = await this.play({ halt: { deed, number: 0, fate: 'go on' } });
    assert.ok(calls > 20, `calls are counted: ${calls}`);
    return calls;
  }

  /** Plays a case and checks all that is promised. How many calls the first one made; 0: it was killed. */
  async play(one: MoveCase): Promise<number> {
    this.#cases += 1;
    const shelf = await Shelf.set(this.#world, this.#maker, `case-${this.#cases}`);
    try {
      return await this.#play(one, shelf);
    } catch (error) {
      throw new Error(`${JSON.stringify(one)}: ${String(error)}`, { cause: error });
    }
  }

  async #play(one: MoveCase, shelf: Shelf): Promise<number> {
    const { halt, second, meanwhile, isSecondFirst = false } = one;
    const halted = [await this.#halt(halt, shelf)];
    const told: Told[] = [];
    try {
      if (second !== undefined) halted.push(await this.#halt(second, shelf));
      const other = meanwhile === 'read' ? this.#reader : this.#observer;
      if (meanwhile !== undefined) told.push(await this.#act(other, meanwhile, shelf));
      for (const each of isSecondFirst ? halted.reverse() : halted) {
        const own = await this.#goOn(each);
        if (own !== null) told.push(own);
      }
    } finally {
      for (const { agent } of halted) if (!this.#spare.includes(agent)) await agent.crash();
    }
    const deeds = [halt.deed, second?.deed, meanwhile];
    const isDeathAmong = [halt, second].some((each) => each?.fate === 'die');
    const last = await this.#act(this.#observer, 'ack', shelf);
    checkShelf(shelf, { told, last, isPruned: deeds.includes('prune'), isDeathAmong });
    await this.#checkIsOver(shelf);
    return told.find(({ calls }) => calls > 0)?.calls ?? 0;
  }

  /** Has an agent do something, until it is stopped or has done it. */
  async #halt(halt: Halt, shelf: Shelf): Promise<Halted> {
    const agent = this.#spare.pop() ?? (await this.#startSpare());
    await agent.run((_, number) => {
      (globalThis as unknown as WithPauses).diesAtCall.pauseIn(number);
    }, halt.number);
    let told: Told | Error | null = null;
    this.#act(agent, halt.deed, shelf).then(
      (value) => {
        told = value;
      },
      (error: Error) => {
        told = error;
      },
    );
    const halted = { halt, agent, told: () => told };
    await waitFor(() => told !== null || isStopped(agent.pid), 'the process to stop or to end');
    return halted;
  }

  async #startSpare(): Promise<Agent> {
    return await Agent.start(this.#world.dir, {
      sessionId: 'idle',
      node: ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
      env: { COUNTS_LOOKS: '1' },
    });
  }

  /** It goes on, or is killed. What it has told; null: nothing. */
  async #goOn({ halt, agent, told }: Halted): Promise<Told | null> {
    if (halt.fate === 'die' && told() === null) {
      await agent.crash();
      return null;
    }
    process.kill(agent.pid, 'SIGCONT');
    await waitFor(() => told() !== null, 'the process to come to its end');
    const found = told();
    if (found === null || found instanceof Error) throw found ?? new Error('it has told nothing');
    this.#spare.push(agent);
    return found;
  }

  /** All that is done is put away in the end, whatever has happened, and can be removed whole. */
  async #checkIsOver(shelf: Shelf): Promise<void> {
    await this.#act(this.#observer, 'move', shelf);
    await waitFor(() => shelf.pids().length === 0, 'the processes of all tasks to be gone');
    await this.#act(this.#observer, 'move', shelf);
    const left = (): string[] => shelf.files().filter((path) => path.includes('/tasks/'));
    assert.deepEqual(left(), [], 'logs are not put away');
    // What a dead process has left of a shortened output is removed by the next one that goes through the store.
    const isRemoved = async (): Promise<boolean> => {
      letRetentionBeDue(this.#world.dir);
      await this.#act(this.#observer, 'prune', shelf);
      return shelf.folder() === null;
    };
    await waitFor(isRemoved, 'the session to go').catch((error: unknown) => {
      throw new Error(`${error}: it has ${shelf.files()}`);
    });
  }

  async #act(agent: Agent, deed: Deed, { sessionId, tasks }: Shelf): Promise<Told> {
    const cannotWrite = agent === this.#reader;
    return await agent.run(act, { deed, dir: this.#world.dir, sessionId, tasks, cannotWrite });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of [this.#maker, this.#observer, this.#reader, ...this.#spare])
      await agent[Symbol.asyncDispose]();
  }
}

import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { Agent } from '../agents.ts';
import { isStopped } from '../moments/at-call.ts';
import { later } from '../moments/observer.ts';
import { fixturePath, type World, waitFor } from '../world.ts';
import { checkScene } from './check.ts';
import { type Asked, act, type Deed, type Told } from './deeds.ts';
import { Scene } from './scene.ts';

/** One case: what a process does, at which of its calls it is stopped, and what another does meanwhile. */
export interface RoleCase {
  readonly role: Deed;
  /** 0: it is not stopped. */
  readonly number: number;
  readonly meanwhile: Deed;
}

/** Where processes are stopped by SIGSTOP at any call of what they do, and for others an hour passes. */
export class RoleStage implements AsyncDisposable {
  readonly #world: World;
  readonly #maker: Agent;
  readonly #observer: Agent;
  #cases = 0;

  private constructor(world: World, maker: Agent, observer: Agent) {
    this.#world = world;
    this.#maker = maker;
    this.#observer = observer;
  }

  static async set(world: World): Promise<RoleStage> {
    const maker = await Agent.start(world.dir, { sessionId: 'idle' });
    const observer = await Agent.start(world.dir, { sessionId: 'idle', node: ['--import', later] });
    return new RoleStage(world, maker, observer);
  }

  /** How many calls a process makes for one of its deeds. */
  async count(role: Deed): Promise<number> {
    const calls = await this.play({ role, number: 0, meanwhile: 'sweep' });
    assert.ok(calls !== null && calls > 5, 'calls are counted');
    return calls;
  }

  /** Plays a case and checks all that is promised. How many calls were made. */
  async play(one: RoleCase): Promise<number | null> {
    this.#cases += 1;
    const scene = await Scene.set(this.#world, this.#maker, `case-${this.#cases}`);
    try {
      return await this.#play(one, scene);
    } catch (error) {
      throw new Error(`${JSON.stringify(one)}: ${String(error)}`, { cause: error });
    }
  }

  async #play({ role, number, meanwhile }: RoleCase, scene: Scene): Promise<number | null> {
    await using actor = await Agent.start(this.#world.dir, {
      sessionId: 'idle',
      node: ['--import', pathToFileURL(fixturePath('dies-at-call.mjs')).href],
      env: { PAUSES_AT_CALL: String(number) },
    });
    let done: Told | Error | null = null;
    const acting = this.#act(actor, role, scene).then(
      (told) => {
        done = told;
      },
      (error: Error) => {
        done = error;
      },
    );
    try {
      await waitFor(() => done !== null || isStopped(actor.pid), 'the process to stop or to end');
      const others = [await this.#act(this.#observer, meanwhile, scene)];
      process.kill(actor.pid, 'SIGCONT');
      await waitFor(() => done !== null, 'the process to come to its end');
      await acting;
      if (!isTold(done)) throw done ?? new Error('it has told nothing');
      scene.openGate();
      const last = await this.#act(this.#observer, 'end', scene);
      if (role === 'make') others.push(await this.#act(this.#observer, 'make', scene));
      await waitFor(() => scene.pids().length === 0, 'the processes of all tasks to be gone');
      const matched = await this.#act(this.#observer, 'match', scene);
      checkScene(scene, { role: done, others, last, matched });
      // What was left by a crash is gone now, and all that is left can be removed.
      const forgotten = await this.#act(this.#observer, 'forget', scene);
      assert.deepEqual(forgotten.codes, []);
      const left = (): string[] => scene.files().filter((path) => !/\/(?:session\.json|queue)$/.test(path));
      // An output that is being shortened just now is there until that finds out that its task is gone.
      await waitFor(() => left().length === 0, 'the files to go').catch(() => undefined);
      assert.deepEqual(left(), [], 'files are left');
      return (done as Told).calls;
    } finally {
      process.kill(actor.pid, 'SIGCONT');
    }
  }

  async #act(agent: Agent, deed: Asked['deed'], { sessionId, tasks }: Scene): Promise<Told> {
    return await agent.run(act, { deed, dir: this.#world.dir, sessionId, tasks });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#maker[Symbol.asyncDispose]();
    await this.#observer[Symbol.asyncDispose]();
  }
}

function isTold(done: Told | Error | null): done is Told {
  return done !== null && !(done instanceof Error);
}

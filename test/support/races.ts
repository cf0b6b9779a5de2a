import type { AgentScope } from './agent-types.ts';
import { Agent } from './agents.ts';
import { withoutKeeper } from './orphans.ts';
import { onWindows } from './processes.ts';
import { World } from './world.ts';

/** More processes than cores, so that some are interrupted between two steps as well. */
const count = 4;

/** What a process that races is told. */
export interface Start {
  /** The tasks, sorted. */
  readonly ids: readonly string[];
  /** When all begin, epoch milliseconds: they spin until then, so that none is late by the wake of a timer. */
  readonly at: number;
}

/** Several processes that have one session open and do something at the same moment. */
export class Racers implements AsyncDisposable {
  readonly world = new World();
  readonly agents: Agent[] = [];

  static async start(): Promise<Racers> {
    const racers = new Racers();
    const agents = Array.from({ length: count }, () => Agent.start(racers.world.dir, { env: withoutKeeper }));
    racers.agents.push(...(await Promise.all(agents)));
    return racers;
  }

  /** Spawns so many tasks (on Windows a fifth: Wine takes half a second for each) that end at once; every process has their completions before it, in `kept.pending`. */
  async endedTasks(many: number): Promise<readonly string[]> {
    const session = await this.world.session();
    const length = onWindows ? Math.ceil(many / 5) : many;
    const tasks = await Promise.all(Array.from({ length }, () => session.spawn('true')));
    await Promise.all(tasks.map((task) => task.wait({ ack: false })));
    const ids = tasks.map(({ id }) => id).sort();
    await session.close();
    await this.#each(async ({ session: theirs, kept }, { ids: all }) => {
      for (const id of all) await theirs.task(id).wait({ ack: false });
      kept.pending = new Map((await theirs.pending()).map((completion) => [completion.taskId, completion]));
      return [];
    }, ids);
    return ids;
  }

  /** Lets all do something at the same moment; what it is may depend on their place, `kept.place`. */
  async race(
    ids: readonly string[],
    action: (scope: AgentScope, start: Start) => Promise<string[]>,
  ): Promise<string[][]> {
    for (const [place, agent] of this.agents.entries()) {
      await agent.run(({ kept }, own) => {
        kept.place = own;
      }, place);
    }
    return await this.#each(action, ids);
  }

  async #each(
    action: (scope: AgentScope, start: Start) => Promise<string[]>,
    ids: readonly string[],
  ): Promise<string[][]> {
    const start = { ids, at: Date.now() + 30 };
    return await Promise.all(this.agents.map((agent) => agent.run(action, start)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.agents) await agent[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

import type { TaskSnapshot } from '../../../src/index.ts';
import { Agent } from '../agents.ts';
import { type World, waitFor } from '../world.ts';
import { zombieChildrenOf } from '../zombies.ts';

/** What others do while somebody is stopped. */
export const acts = ['look', 'stop', 'forget'] as const;

export type Act = (typeof acts)[number];

/** Longer than everything that the code waits for. */
const laterMs = 3_600_000;

/** A module for `node --import`: for that process so much time has passed, by all clocks. */
export const later = `data:text/javascript,${encodeURIComponent(
  `const { now } = Date; Date.now = () => now() + ${laterMs};
   const hrtime = process.hrtime; const { bigint } = hrtime;
   process.hrtime = (since) => { const [s, ns] = hrtime(since); return since ? [s, ns] : [s + ${laterMs / 1_000}, ns]; };
   process.hrtime.bigint = () => bigint() + ${laterMs}000000n;
   const passed = performance.now.bind(performance); performance.now = () => passed() + ${laterMs};`,
)}`;

/** Another process, for which it is an hour later. It opens the store each time as one that was started just then. */
export class Observer implements AsyncDisposable {
  readonly #agent: Agent;
  readonly #dir: string;
  readonly #descriptors: number;

  private constructor(agent: Agent, dir: string, descriptors: number) {
    this.#agent = agent;
    this.#dir = dir;
    this.#descriptors = descriptors;
  }

  static async start(world: World): Promise<Observer> {
    const agent = await Agent.start(world.dir, { node: ['--import', later] });
    // What is loaded at its first use is loaded now.
    const observer = new Observer(agent, world.dir, 0);
    await observer.act('first', 'look');
    return new Observer(agent, world.dir, await descriptorsOf(agent));
  }

  /** Opens a session, does that to its tasks, and closes it. What it was told of them. */
  async act(sessionId: string, act: Act | 'settle' | 'end'): Promise<TaskSnapshot[]> {
    return await this.#agent.run(
      async ({ openStore }, asked) => {
        const store = await openStore({ dir: asked.dir });
        const told: import('../../../src/index.ts').TaskSnapshot[] = [];
        try {
          const session = await store.session(asked.sessionId);
          for (const { taskId, name, labels } of await session.tasks()) {
            if (name !== 'case' && labels.kind !== 'case') continue;
            const task = session.task(taskId);
            if (asked.act === 'stop') await task.kill({ graceMs: 20, ack: false });
            if (asked.act === 'end') await task.kill({ graceMs: 0, ack: false });
            if (asked.act === 'settle') await task.wait({ timeoutMs: 15_000, ack: false });
            if (asked.act === 'look') await task.wait({ timeoutMs: 60, ack: false });
            if (asked.act === 'forget') await task.wait({ timeoutMs: 60 });
            told.push(task.snapshot());
          }
          if (asked.act === 'forget') await session.prune({ olderThanMs: 0 });
        } finally {
          await store.close();
        }
        return told;
      },
      { dir: this.#dir, sessionId, act },
    );
  }

  /** Nothing is left of a case: here no descriptor, and no child that nobody reaps at the spawner, if it lives. */
  async checkNothingIsLeft(spawner: number | null): Promise<void> {
    // What it does in the background for a store that it has closed may have a file open.
    const isLeft = async (): Promise<boolean> => (await descriptorsOf(this.#agent)) > this.#descriptors;
    await waitFor(async () => !(await isLeft()), 'the observer to close its descriptors');
    const parents = [this.#agent.pid, ...(spawner === null ? [] : [spawner])];
    await waitFor(() => zombieChildrenOf(...parents).length === 0, `${parents} to reap their children`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
  }
}

async function descriptorsOf(agent: Agent): Promise<number> {
  return await agent.run(
    ({ fs }) =>
      fs.readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('/');
        } catch {
          return false;
        }
      }).length,
  );
}

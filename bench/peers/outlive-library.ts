import { openStore, type Session } from '../../src/index.ts';
import type { Ground } from '../ground.ts';
import { Helper } from '../helper.ts';
import { helperSession } from '../helpers.ts';
import { taskProcesses } from '../processes.ts';
import type { Peer, PeerKind } from './peer.ts';

/** This library, in a process that goes on running. */
export const outliveLibrary: PeerKind = {
  name: 'outlive, library',
  isProgram: false,
  how: '`session.spawn()` and `session.completions()` in a process that goes on running. The benchmark kills that process.',
  note: 'its memory is in the process that uses it, which this table does not count',
  start: async (ground) =>
    new OutliveLibrary(ground, await ground.session(helperSession, { maxRunning: 1_000 })),
};

class OutliveLibrary implements Peer {
  readonly #ground: Ground;
  readonly #session: Session;
  #spawner: Helper | undefined;

  constructor(ground: Ground, session: Session) {
    this.#ground = ground;
    this.#session = session;
  }

  async spawn(command: string): Promise<string> {
    return (await this.#session.spawn(command, { shell: '/bin/sh' })).id;
  }

  /** A task of another process, which can be killed. */
  async spawnElsewhere(command: string): Promise<string> {
    this.#spawner = new Helper('spawner', this.#ground.storeDir, command);
    await this.#spawner.ask('spawn');
    const store = await openStore({ dir: this.#ground.storeDir });
    const tasks = await store.tasks({ sessionId: helperSession });
    await store.close();
    return tasks.at(-1)?.taskId ?? '';
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    const completions = this.#session.completions();
    const told = async (): Promise<void> => {
      for await (const completion of completions) {
        if (completion.taskId === taskId) {
          // The end is known. This waits for nothing after that.
          void completion.ack();
          return;
        }
        await completion.ack();
      }
    };
    return { told: told() };
  }

  async many(count: number): Promise<void> {
    const completions = this.#session.completions();
    const spawns = Array.from({ length: count }, () => this.#session.spawn('true', { shell: '/bin/sh' }));
    const left = new Set((await Promise.all(spawns)).map(({ id }) => id));
    for await (const completion of completions) {
      await completion.ack();
      left.delete(completion.taskId);
      if (left.size === 0) break;
    }
  }

  async kill(taskId: string): Promise<void> {
    await this.#session.task(taskId).kill();
  }

  async killManager(): Promise<void> {
    await this.#spawner?.kill();
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    return (await this.#session.task(taskId).wait({ timeoutMs: 5_000 })).exitCode;
  }

  unmarked(): readonly number[] {
    return taskProcesses().shims;
  }

  async stop(): Promise<void> {
    await this.#session.shutdown({ graceMs: 0 });
  }
}

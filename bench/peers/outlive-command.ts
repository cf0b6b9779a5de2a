import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Ground } from '../ground.ts';
import { taskProcesses } from '../processes.ts';
import type { Peer, PeerKind } from './peer.ts';
import { ran } from './programs.ts';

const program = join(import.meta.dirname, '../../../dist/bin/outlive.cjs');
const atATime = 8;

/** The command line of this package. */
export const outliveCommand: PeerKind = {
  name: 'outlive, command line',
  isProgram: true,
  how: '`outlive run`, `outlive wait`, `outlive kill`, each a process. No process stays that the benchmark could kill.',
  note: 'each call starts a Node process',
  start: async (ground) => new OutliveCommand(ground),
};

class OutliveCommand implements Peer {
  readonly #dir: string;

  constructor(ground: Ground) {
    this.#dir = ground.storeDir;
  }

  async spawn(command: string): Promise<string> {
    return (await this.#run('run', '--shell', '/bin/sh', '--', command)).trim();
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    const words = [program, 'wait', '--store', this.#dir, taskId];
    const told = new Promise<void>((resolve) => {
      execFile(process.execPath, words, () => resolve());
    });
    // It takes at most this long to start.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return { told };
  }

  async many(count: number): Promise<void> {
    const ids: string[] = [];
    let left = count;
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        ids.push(await this.spawn('true'));
      }
    };
    await Promise.all(Array.from({ length: atATime }, caller));
    await this.#run('wait', ...ids);
  }

  async kill(taskId: string): Promise<void> {
    await this.#run('kill', taskId);
  }

  async killManager(): Promise<void> {
    // There is no manager.
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    await ran(process.execPath, [program, 'wait', '--store', this.#dir, '-t', '5s', taskId]);
    return (JSON.parse(await this.#run('show', '--json', taskId)) as { exitCode: number | null }).exitCode;
  }

  unmarked(): readonly number[] {
    return taskProcesses().shims;
  }

  async stop(): Promise<void> {
    await this.#run('kill', '--all');
  }

  async #run(...words: string[]): Promise<string> {
    const env = { ...process.env, OUTLIVE_HOME: this.#dir, OUTLIVE_SESSION: 'bench' };
    return (await ran(process.execPath, [program, ...words], env)).stdout;
  }
}

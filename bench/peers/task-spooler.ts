import { execFile } from 'node:child_process';
import type { Ground } from '../ground.ts';
import { markedPids, readOr } from '../ground.ts';
import type { Peer, PeerKind } from './peer.ts';
import { installedVersion, ran } from './programs.ts';

const slots = 8;

/** Debian's task-spooler, a queue with a server that its first call starts. */
export const taskSpooler: PeerKind = {
  name: 'task-spooler',
  isProgram: true,
  how: `\`tsp\`, with ${slots} slots (\`tsp -S\`); \`tsp -w\` waits, \`tsp -k\` stops. The benchmark kills its server.`,
  note: '',
  start: async (ground) => {
    await installedVersion('tsp', '-V', /v(\S+)/, 'Debian: task-spooler');
    const peer = new TaskSpooler(ground);
    await peer.begin();
    return peer;
  },
};

class TaskSpooler implements Peer {
  readonly #env: NodeJS.ProcessEnv;
  /** The server remembers 1,000 finished jobs by itself. */
  constructor(ground: Ground) {
    this.#env = { ...process.env, TS_SOCKET: `${ground.dir}/tsp`, TMPDIR: ground.dir };
  }

  async begin(): Promise<void> {
    await this.#run('-S', String(slots));
  }

  async spawn(command: string): Promise<string> {
    return (await this.#run('sh', '-c', command)).trim();
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    const told = new Promise<void>((resolve) => {
      execFile('tsp', ['-w', taskId], { env: this.#env }, () => resolve());
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { told };
  }

  async many(count: number): Promise<void> {
    const script = `ids=; i=0; while [ $i -lt ${count} ]; do ids="$ids $(tsp true)"; i=$((i + 1)); done
      for id in $ids; do tsp -w $id; done`;
    await ran('sh', ['-c', script], this.#env);
  }

  async kill(taskId: string): Promise<void> {
    await this.#run('-k', taskId);
  }

  async killManager(): Promise<void> {
    for (const pid of this.#servers()) process.kill(pid, 'SIGKILL');
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    const state = (await this.#run('-s', taskId)).trim();
    if (state !== 'finished') return null;
    return (await ran('tsp', ['-w', taskId], this.#env)).code;
  }

  unmarked(): number[] {
    return [];
  }

  async stop(): Promise<void> {
    await this.#run('-K');
  }

  /** The server is the one that was started by `tsp -S`, which then goes on under init. */
  #servers(): number[] {
    return markedPids().filter((pid) => {
      const line = readOr(`/proc/${pid}/cmdline`, '').split('\0');
      const isOurs = readOr(`/proc/${pid}/environ`, '').includes(`TS_SOCKET=${this.#env.TS_SOCKET}\0`);
      return isOurs && line[0] === 'tsp' && line[1] === '-S';
    });
  }

  async #run(...words: string[]): Promise<string> {
    return (await ran('tsp', words, this.#env)).stdout;
  }
}

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ground } from '../ground.ts';
import { markedPids, readOr } from '../ground.ts';
import type { Peer, PeerKind } from './peer.ts';
import { installedVersion, ran } from './programs.ts';

/** Debian's nq: a queue made of files and locks, without any server. */
export const nq: PeerKind = {
  name: 'nq',
  isProgram: true,
  how: 'one folder for each task, since a folder is a queue that runs its tasks one after the other; the 200 tasks are one queue. `nq -w` waits; a signal to the process group stops a task, as the manual says. The benchmark kills the `nq` that is the parent of the command.',
  note: 'its 200 tasks run one after the other',
  start: async (ground) => {
    await installedVersion('nq', '-h', /(.*)/, 'Debian: nq');
    return new Nq(ground);
  },
};

class Nq implements Peer {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** A task's id is the path of its file. */
  async spawn(command: string): Promise<string> {
    const queue = this.#ground.newFolder();
    const { stdout } = await ran('nq', ['sh', '-c', command], { ...process.env, NQDIR: queue });
    return join(queue, stdout.trim());
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    const [queue, name] = [join(taskId, '..'), taskId.slice(taskId.lastIndexOf('/') + 1)];
    const told = new Promise<void>((resolve) => {
      execFile('nq', ['-w', name], { env: { ...process.env, NQDIR: queue } }, () => resolve());
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { told };
  }

  async many(count: number): Promise<void> {
    const script = `i=0; while [ $i -lt ${count} ]; do nq -q true; i=$((i + 1)); done; nq -w`;
    await ran('sh', ['-c', script], { ...process.env, NQDIR: this.#ground.newFolder() });
  }

  async kill(taskId: string): Promise<void> {
    process.kill(-Number(taskId.slice(taskId.lastIndexOf('.') + 1)), 'SIGTERM');
  }

  async killManager(taskId: string): Promise<void> {
    const queue = join(taskId, '..');
    for (const pid of markedPids()) {
      const isOurs = readOr(`/proc/${pid}/environ`, '').includes(`NQDIR=${queue}\0`);
      if (isOurs && readOr(`/proc/${pid}/comm`, '').trim() === 'nq') process.kill(pid, 'SIGKILL');
    }
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    const found = /^\[exited with status (\d+)\.\]$/m.exec(readFileSync(taskId, 'utf8'))?.[1];
    return found === undefined ? null : Number(found);
  }

  unmarked(): number[] {
    return [];
  }

  async stop(): Promise<void> {}
}

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Ground } from '../ground.ts';
import { markedPids, readOr } from '../ground.ts';
import type { Peer, PeerKind } from './peer.ts';
import { installedVersion, ran } from './programs.ts';

/** Windows of a detached tmux session, which many agents are told to use. */
export const tmux: PeerKind = {
  name: 'tmux',
  isProgram: true,
  how: 'a detached session with a window for each task (`tmux new-window -d`). The window writes the exit code to a file and reports the end to `tmux wait-for`; `kill-window` stops. The benchmark kills its server.',
  note: 'its commands have a terminal; a shell line around each command records the exit code',
  start: async (ground) => {
    await installedVersion('tmux', '-V', /tmux (\S+)/, 'Debian: tmux');
    const peer = new Tmux(ground);
    await peer.begin();
    return peer;
  },
};

class Tmux implements Peer {
  readonly #ground: Ground;
  readonly #socket: string;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#socket = `${ground.dir}/tmux`;
  }

  async begin(): Promise<void> {
    await this.#run('-f', '/dev/null', 'new-session', '-d', '-s', 'bench', 'exec sleep 100000');
  }

  async spawn(command: string): Promise<string> {
    const codeFile = this.#ground.newFile();
    const channel = codeFile.slice(codeFile.lastIndexOf('/') + 1);
    const line = `(${command}); echo $? >${codeFile}; tmux -S ${this.#socket} wait-for -S ${channel}`;
    const { stdout } = await this.#run('new-window', '-d', '-t', 'bench:', '-P', '-F', '#{window_id}', line);
    return `${stdout.trim()} ${codeFile} ${channel}`;
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    const [, , channel = ''] = taskId.split(' ');
    const told = new Promise<void>((resolve) => {
      execFile('tmux', ['-S', this.#socket, 'wait-for', channel], () => resolve());
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { told };
  }

  async many(count: number): Promise<void> {
    const call = `tmux -S ${this.#socket}`;
    const script = `i=0; while [ $i -lt ${count} ]; do
        ${call} new-window -d -t bench: "true; ${call} wait-for -S many$i"; i=$((i + 1)); done
      i=0; while [ $i -lt ${count} ]; do ${call} wait-for many$i; i=$((i + 1)); done`;
    await ran('sh', ['-c', script]);
  }

  async kill(taskId: string): Promise<void> {
    await this.#run('kill-window', '-t', taskId.split(' ')[0] ?? '');
  }

  async killManager(): Promise<void> {
    for (const pid of markedPids()) {
      const line = readOr(`/proc/${pid}/cmdline`, '');
      if (line.startsWith(`tmux\0-S\0${this.#socket}\0-f`)) process.kill(pid, 'SIGKILL');
    }
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    try {
      const text = readFileSync(taskId.split(' ')[1] ?? '', 'utf8').trim();
      return text === '' ? null : Number(text);
    } catch {
      return null;
    }
  }

  unmarked(): number[] {
    return [];
  }

  async stop(): Promise<void> {
    await this.#run('kill-server');
  }

  async #run(...words: string[]): Promise<{ stdout: string }> {
    return await ran('tmux', ['-S', this.#socket, ...words]);
  }
}

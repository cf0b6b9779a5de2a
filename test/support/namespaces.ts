import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { quote, waitFor } from './world.ts';

/**
 * A pid namespace of its own, as a container has one. Its first process reaps whatever is orphaned in it.
 * Disposing of it ends all that runs in it. Needs the rights of root.
 */
export class PidNamespace implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** Its first process, as seen from outside. */
  readonly pid: number;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.pid = pid;
  }

  /** Makes one whose first process runs a script, which is to wait for a long time. */
  static async start(script = 'while :; do sleep 1; done'): Promise<PidNamespace> {
    const before = ['--pid', '--fork', '--mount-proc', '--kill-child'];
    // Bash as the first process reaps what is orphaned.
    const child = spawn('unshare', [...before, 'bash', '-c', `echo ready; ${script}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { pid } = child;
    if (pid === undefined) throw new Error('expected to start unshare, of util-linux');
    await once(child.stdout, 'data');
    const children = (): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    await waitFor(() => children() !== '', 'the first process of the namespace');
    return new PidNamespace(child, Number(children()));
  }

  /** What to put in front of a command, so that it runs inside. */
  get enter(): string[] {
    return ['nsenter', '--target', String(this.pid), '--pid', '--mount'];
  }

  /** Ends it, with everything inside, as the stop of a container does. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
    await waitFor(() => !exists(this.pid), 'the namespace to be gone');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end();
  }
}

/** What to put in front of a command, so that it can only read what is in a folder. Needs the rights of root. */
export function readOnly(folder: string): string[] {
  const path = quote(folder);
  const mount = `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`;
  return ['unshare', '--mount', 'sh', '-c', `${mount} && exec "$@"`, 'sh'];
}

function exists(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

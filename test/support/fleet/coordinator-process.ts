import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Role } from '../../../src/fleet/wire/membership.ts';
import { waitFor } from '../world.ts';

/** What a coordinator of its own process is told. */
export interface ProcessOptions {
  readonly url: string;
  /** The secret of its key, in base64url. */
  readonly seed: string;
  readonly roles: Readonly<Record<string, Role>>;
  readonly leaseMs: number;
}

/** A coordinator in a process of its own, which can be killed and stopped. */
export class CoordinatorProcess implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts one, and waits until it answers. */
  static async start(options: ProcessOptions): Promise<CoordinatorProcess> {
    const path = fileURLToPath(new URL('./coordinator-main.js', import.meta.url));
    const child = spawn(process.execPath, ['--enable-source-maps', path, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const started = new CoordinatorProcess(child);
    await waitFor(() => {
      if (child.exitCode !== null) throw new Error('the coordinator ended');
      return said.includes('ready');
    }, 'the coordinator to be ready');
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

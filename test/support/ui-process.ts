import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.ts';
import type { World } from './world.ts';

/** `outlive ui` in a process of its own, as it is shipped: what it uses is told apart from what the test does. */
export class UiProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** With the token. */
  readonly address: string;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
  }

  static async start(world: World): Promise<UiProcess> {
    const words = [join(root, 'dist/bin/outlive.cjs'), 'ui', '--no-open', '--store', world.dir];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'exit').then(([status]) => {
      throw new Error(`outlive ui ended with ${status}`);
    });
    const [printed] = await Promise.race([
      once(child.stdout as NonNullable<typeof child.stdout>, 'data'),
      ended,
    ]);
    ended.catch(() => undefined);
    return new UiProcess(child, String(printed).trim());
  }

  /** The address without the token. */
  get url(): string {
    return new URL('/', this.address).href;
  }

  /** Bytes of memory that it has now. */
  get memory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    await ended;
  }
}

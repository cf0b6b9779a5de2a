import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Processes that use all that they get of the processors, until it is disposed of. */
export class LoadBeside implements AsyncDisposable {
  readonly #busy: ChildProcess[];

  constructor(count: number) {
    this.#busy = Array.from({ length: count }, () =>
      spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#busy) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }
}

import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, read, writeSync } from 'node:fs';
import { must } from './measure.ts';

/**
 * A command that ends when we say so, and whose end has the time of our own clock: it tells that it is
 * ready, then blocks in `read` on a FIFO until a line comes. What is measured from that line on is the same
 * for every subject: the wake-up of the shell, its exit, and the way of the news to us.
 */
export class Gate {
  /** For any POSIX shell; built-ins only, so that nothing is forked at the end. */
  readonly command: string;
  readonly #ready: number;
  readonly #go: number;

  constructor(path: string) {
    const [ready, go] = [`${path}.ready`, `${path}.go`];
    execFileSync('mkfifo', ['-m', '600', ready, go]);
    // Open for both, a FIFO blocks neither us nor the command, and keeps what is written.
    this.#ready = openSync(ready, constants.O_RDWR);
    this.#go = openSync(go, constants.O_RDWR);
    this.command = `echo r >'${ready}'; read line <'${go}'`;
  }

  /** Resolves when the command has come to the gate. */
  async ready(): Promise<void> {
    const arrived = new Promise<void>((resolve, reject) => {
      read(this.#ready, Buffer.alloc(2), 0, 2, null, (error) => (error ? reject(error) : resolve()));
    });
    await must('the command to be ready', arrived);
  }

  /** Lets the command end. */
  open(): void {
    writeSync(this.#go, '\n');
  }

  close(): void {
    // A read that is still under way must not hold the process.
    writeSync(this.#ready, '\n\n');
    closeSync(this.#ready);
    closeSync(this.#go);
  }
}

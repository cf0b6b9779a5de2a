import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { letGo } from '../tasklog/files.ts';
import { holdProcess } from '../util/wait.ts';

/**
 * A pipe by which the timers of shims learn that this process is gone, however it ends: we hold the writing
 * end, write nothing, and they block on the other one. Node has no call that makes a pipe, hence a FIFO that
 * is removed as soon as both ends are open. Two descriptors a process, whatever the number of tasks.
 */
export class Lifeline {
  readonly #dir: string;
  #ends: { readonly read: number; readonly write: number } | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * The descriptor to hand to a shim, or `'ignore'` while there is none: a shim whose lifeline is at its
   * end from the start sleeps from the start, which costs one more process. The first call opens the pipe.
   */
  forShim(): number | 'ignore' {
    if (!this.#closed) this.#opening ??= this.#open();
    return this.#ends?.read ?? 'ignore';
  }

  /** Lets go: from now on the shims' timers count by themselves. */
  async close(): Promise<void> {
    this.#closed = true;
    const release = holdProcess();
    await this.#opening;
    release();
    if (this.#ends === undefined) return;
    letGo(this.#ends.write);
    letGo(this.#ends.read);
    this.#ends = undefined;
  }

  #open(): Promise<void> {
    const path = join(this.#dir, `lifeline-${randomBytes(8).toString('hex')}`);
    return new Promise((resolve) => {
      const child = execFile('mkfifo', ['-m', '600', path], (error) => {
        // Without mkfifo the shims keep their own time, which is as good.
        if (error === null) this.#adopt(path);
        resolve();
      });
      child.unref();
    });
  }

  #adopt(path: string): void {
    const opened: number[] = [];
    const open = (flags: number): number => {
      const descriptor = openSync(path, flags);
      opened.push(descriptor);
      return descriptor;
    };
    try {
      if (this.#closed) return;
      // A FIFO opens for writing only when it is open for reading, and the reading end that is handed out
      // must block, so there are three opens.
      open(constants.O_RDONLY | constants.O_NONBLOCK);
      const write = open(constants.O_WRONLY);
      const read = open(constants.O_RDONLY);
      opened.splice(1);
      this.#ends = { read, write };
    } catch {
      // As above.
    } finally {
      for (const descriptor of opened) letGo(descriptor);
      remove(path);
    }
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone.
  }
}

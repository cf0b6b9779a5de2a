import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { ExitFact } from '../model/facts.ts';
import { shimProgram } from '../shim/program.ts';
import { parseFact } from '../tasklog/codec.ts';
import { letGo } from '../tasklog/files.ts';
import { yieldToOthers } from '../util/wait.ts';

/** A line of the doorbell is shorter than what a pipe takes in one piece. */
const mostLineChars = 4_096;

/** Turns of the event loop until a doorbell counts as not heard. */
const turnsToHear = 5;

/**
 * A pipe on which shims tell this process of the end of their commands, at the moment in which it is in the log. It is a
 * hint that may get lost: the log says the same. What comes in is believed only with its proof, since a task can
 * reach the pipe. Two descriptors a process, whatever the number of tasks. Node has no call that makes a pipe to hand
 * on, hence a FIFO that is removed as soon as both ends are open.
 */
export class Doorbell {
  readonly #dir: string;
  readonly #heard = new Map<string, (exit: ExitFact) => void>();
  #write: number | null = null;
  #read: Socket | null = null;
  #opening: Promise<void> | null = null;
  #closed = false;
  #isHeard = false;
  #part = '';

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Opens it, once. It resolves also when there is no doorbell to be had. */
  async open(): Promise<void> {
    if (!this.#closed) this.#opening ??= this.#open();
    await this.#opening;
  }

  /** What to hand to a shim; null where it is not open, or cannot be heard. */
  get descriptor(): number | null {
    return this.#isHeard ? this.#write : null;
  }

  /** Calls back with each end of a task's command that is told: the first may be a forged one. */
  listen(taskId: string, heard: (exit: ExitFact) => void): void {
    this.#heard.set(taskId, heard);
  }

  /** The task is live here no more. */
  forget(taskId: string): void {
    this.#heard.delete(taskId);
  }

  close(): void {
    this.#closed = true;
    this.#heard.clear();
    this.#read?.destroy();
    if (this.#write !== null) letGo(this.#write);
    this.#write = null;
  }

  async #open(): Promise<void> {
    const path = join(this.#dir, `doorbell-${randomBytes(8).toString('hex')}`);
    try {
      const program = await shimProgram(this.#dir);
      await new Promise<void>((resolve, reject) => {
        execFile(program, ['doorbell', path], (error) => (error === null ? resolve() : reject(error)));
      });
      this.#adopt(path);
      // It rings once by itself, which this process hears in one of the next turns, or never.
      for (let turn = 0; turn < turnsToHear && !this.#isHeard; turn += 1) await yieldToOthers();
    } catch {
      // No process or descriptor to be had, or the folder is gone: the log says the same as the doorbell.
    } finally {
      remove(path);
    }
  }

  #adopt(path: string): void {
    if (this.#closed) return;
    // It opens for writing only when it is open for reading. Nobody may ever wait for the other end.
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    let write: number | null = null;
    try {
      write = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      this.#read = new Socket({ fd: read, readable: true, writable: false });
    } catch (error) {
      letGo(read);
      if (write !== null) letGo(write);
      throw error;
    }
    this.#write = write;
    this.#read.on('data', (bytes) => {
      this.#isHeard = true;
      this.#take(bytes.toString('utf8'));
    });
    this.#read.on('error', () => this.close());
    this.#read.unref();
    // Bun opens it, and hears nothing: a doorbell is handed out when it has rung.
    writeSync(write, '\n');
  }

  #take(text: string): void {
    const lines = (this.#part + text).split('\n');
    const rest = lines.pop() ?? '';
    this.#part = rest.length > mostLineChars ? '' : rest;
    for (const line of lines) {
      const at = line.indexOf(' ');
      const heard = this.#heard.get(line.slice(0, at));
      const fact = heard === undefined ? null : parseFact(line.slice(at + 1));
      if (fact?.fact === 'exit') heard?.(fact);
    }
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not made.
  }
}

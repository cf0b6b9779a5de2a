import { constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { ExitFact } from '../../model/facts.ts';
import { askShim, unavailable } from '../../shim/ask.ts';
import { shimProgram } from '../../shim/program.ts';
import { parseTold } from '../../tasklog/codec.ts';
import { letGo } from '../../tasklog/files.ts';
import { randomHex } from '../../util/crypto.ts';
import { yieldToOthers } from '../../util/wait.ts';
import { guarded, type Place, report } from '../session/background.ts';
import type { Doorbell } from '../session/context.ts';

/** A line of the doorbell is shorter than what a pipe takes in one piece. */
const mostLineChars = 4_096;

/** Turns of the event loop until a doorbell counts as not heard. */
const turnsToHear = 5;

/** Bun makes no pipe for a descriptor beyond the third. */
const canMakePipes = process.versions.bun === undefined;

/**
 * Pipes on which shims tell this process of the end of their commands, at the moment in which it is in the log. It is a
 * hint that may get lost: the log says the same. What comes in is believed only with its proof, since a task can
 * reach such a pipe.
 *
 * The first shim has one of its own, which Node makes with the process: most command lines start no other. For all that
 * come after it there is one together, since a descriptor a task would be too many. Node has no call that makes a pipe to
 * hand on again and again, hence a FIFO that is removed as soon as both ends are open.
 */
export class PipeDoorbell implements Doorbell {
  readonly #dir: string;
  readonly #place: Place;
  readonly #heard = new Map<string, (exit: ExitFact) => void>();
  /** A spawn was told that it needs no FIFO. */
  #hasFirst = false;
  /** The task that rings at a pipe of its own. */
  #first: string | null = null;
  #own: Socket | null = null;
  #write: number | null = null;
  #read: Socket | null = null;
  #opening: Promise<void> | null = null;
  #closed = false;
  #isHeard = false;

  constructor(dir: string) {
    this.#dir = dir;
    this.#place = { store: { dir } };
  }

  /** Opens the FIFO, once, unless this is the first call. It resolves also when there is no doorbell to be had. */
  async open(): Promise<void> {
    if (!this.#hasFirst && canMakePipes) {
      this.#hasFirst = true;
      return;
    }
    if (!this.#closed) this.#opening ??= this.#open();
    await this.#opening;
  }

  /**
   * Calls back with each end of a task's command that is told: the first may be a forged one.
   * @returns whether its shim will have something to ring at.
   */
  listen(taskId: string, heard: (exit: ExitFact) => void): boolean {
    this.#heard.set(taskId, heard);
    if (this.#shared === null && this.#hasFirst) this.#first ??= taskId;
    return this.bellOf(taskId) !== null;
  }

  /** What to hand to the shim of a task; null where it is not open, or cannot be heard. */
  bellOf(taskId: string): number | 'pipe' | null {
    return this.#first === taskId && !this.#closed ? 'pipe' : this.#shared;
  }

  /** Hears the pipe of the first task, which was made with its shim. */
  hear(pipe: Socket): void {
    this.#own?.destroy();
    this.#own = pipe;
    this.#take(pipe, () => undefined);
    // One that is lost does no harm.
    pipe.on('error', () => pipe.destroy());
    if (this.#closed) pipe.destroy();
  }

  /** The task is live here no more. */
  forget(taskId: string): void {
    this.#heard.delete(taskId);
  }

  close(): void {
    this.#closed = true;
    this.#heard.clear();
    this.#own?.destroy();
    this.#read?.destroy();
    if (this.#write !== null) letGo(this.#write);
    this.#write = null;
  }

  get #shared(): number | null {
    return this.#isHeard ? this.#write : null;
  }

  async #open(): Promise<void> {
    const path = join(this.#dir, `doorbell-${randomHex(8)}`);
    try {
      const program = await shimProgram(this.#dir);
      await askShim(program, ['doorbell', path], true);
      this.#adopt(path);
      // It rings once by itself, which this process hears in one of the next turns, or never.
      for (let turn = 0; turn < turnsToHear && !this.#isHeard; turn += 1) await yieldToOthers();
    } catch (error) {
      // No process or descriptor to be had, or the folder is gone: the log says the same as the doorbell.
      report(this.#place, 'opening the doorbell', error, { codes: unavailable });
    } finally {
      this.#remove(path);
    }
  }

  /** A spawn waits for this, and must not fail by it. */
  #remove(path: string): void {
    try {
      unlinkSync(path);
    } catch (error) {
      // It was not made; what stays is swept later.
      report(this.#place, 'removing the name of a doorbell', error);
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
    this.#take(this.#read, () => {
      this.#isHeard = true;
    });
    this.#read.on('error', () => this.close());
    // Bun opens it, and hears nothing: a doorbell is handed out when it has rung.
    writeSync(write, '\n');
  }

  /** Takes the lines that come out of a pipe, which keeps no process alive. */
  #take(pipe: Socket, onBytes: () => void): void {
    let part = '';
    const take = guarded(this.#place, 'reading the doorbell', (bytes: Buffer) => {
      onBytes();
      const lines = (part + bytes.toString('utf8')).split('\n');
      const rest = lines.pop() ?? '';
      part = rest.length > mostLineChars ? '' : rest;
      for (const line of lines) this.#ring(line);
    });
    pipe.on('data', take);
    pipe.unref();
  }

  #ring(line: string): void {
    const at = line.indexOf(' ');
    const heard = this.#heard.get(line.slice(0, at));
    const fact = heard === undefined ? null : parseTold(line.slice(at + 1));
    if (fact?.fact === 'exit') heard?.(fact);
  }
}

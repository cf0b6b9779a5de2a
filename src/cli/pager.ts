import { type ChildProcess, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { conversationOf } from '../engine/session/conversation.ts';
import type { Io } from './io.ts';

/** More bytes than this count as long output, however few lines they have. */
const muchBytes = 64 * 1024;

/** How much it keeps that the pager has not read. Beyond this it waits until the pager reads. */
const keptBytes = 1024 * 1024;

/** Statuses of a shell that cannot run a program. */
const cannotRun: ReadonlySet<number | null> = new Set([126, 127]);

/**
 * Shows long output with a pager, as git does: `$PAGER`, else less, with `LESS=FRX` if LESS is not set. It writes text
 * that fits the terminal directly.
 */
export class Pager {
  /** Where to write to. Notes are shown when the pager has ended. */
  readonly io: Io;
  readonly #plain: Io;
  readonly #command: string;
  readonly #less: string;
  readonly #closed = new AbortController();
  #held: Buffer[] = [];
  #heldBytes = 0;
  #rows = 0;
  #notes: string[] = [];
  #child: ChildProcess | null = null;
  #ended: Promise<number | null> = Promise.resolve(null);

  private constructor(io: Io, command: string, less: string) {
    this.#plain = io;
    this.#command = command;
    this.#less = less;
    this.io = {
      ...io,
      out: (data) => this.#out(Buffer.from(data)),
      note: (line) => void this.#notes.push(line),
    };
  }

  /** A pager for a terminal; null: none is wanted, or there is no terminal that could show one. */
  static on(io: Io): Pager | null {
    const { PAGER, TERM } = process.env;
    const command = PAGER ?? 'less';
    if (!io.terminal || process.platform === 'win32' || TERM === undefined || TERM === 'dumb') return null;
    // An agent that has given its shell a terminal would wait for ever: it presses no key.
    if (conversationOf({ env: process.env }) !== null) return null;
    return command.trim() === '' || command === 'cat' ? null : new Pager(io, command, 'FRX');
  }

  /**
   * A pager for a screen that is drawn again afterwards: it is started however little there is, and stays until somebody
   * leaves it. Null: `$PAGER` says that none is wanted.
   */
  static onScreen(io: Io): Pager | null {
    const { PAGER: command = 'less' } = process.env;
    if (command.trim() === '' || command === 'cat') return null;
    const pager = new Pager(io, command, 'R');
    pager.#child = pager.#start();
    return pager;
  }

  /** Ends it, whatever it shows. */
  end(): void {
    this.#child?.kill();
  }

  /** Aborts when somebody has left the pager: nothing more is read. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Writes what is left, and waits until somebody leaves the pager. */
  async close(): Promise<void> {
    if (this.#child === null) await this.#plain.out(Buffer.concat(this.#held));
    else {
      this.#child.stdin?.end();
      await this.#finish(await this.#ended);
    }
    for (const line of this.#notes) this.#plain.note(line);
  }

  async #out(bytes: Buffer): Promise<void> {
    if (this.#heldBytes <= keptBytes) this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#child !== null) return await this.#write(bytes);
    this.#rows += rowsOf(bytes.toString(), this.#plain.columns);
    if (this.#rows < (process.stdout.rows || 24) && this.#heldBytes <= muchBytes) return;
    this.#child = this.#start();
    await this.#write(Buffer.concat(this.#held));
  }

  #start(): ChildProcess {
    const child = spawn('/bin/sh', ['-c', this.#command], {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { LESS: this.#less, LV: '-c', ...process.env },
    });
    // A person who quits the pager early closes the pipe.
    child.stdin.on('error', () => this.#closed.abort());
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => {
        this.#closed.abort();
        resolve(status);
      });
    });
    return child;
  }

  async #write(bytes: Buffer): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin?.writable !== true) return;
    await new Promise<void>((resolve) => stdin.write(bytes, () => resolve()));
  }

  /** One that cannot be run has shown nothing, and read nothing. */
  async #finish(status: number | null): Promise<void> {
    if (!cannotRun.has(status)) return;
    await this.#plain.out(Buffer.concat(this.#held));
    this.#notes.push(
      `the pager ${JSON.stringify(this.#command)} cannot be run. Set PAGER=less, or PAGER=cat to use no pager`,
    );
  }
}

/** Rows of a terminal that a text takes. */
function rowsOf(text: string, columns: number): number {
  const lines = stripVTControlCharacters(text).split('\n');
  return lines.reduce((rows, line) => rows + Math.floor(line.length / columns), lines.length - 1);
}

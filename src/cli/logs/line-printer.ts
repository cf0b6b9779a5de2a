import { harmlessText, plainText } from '../../model/plain-text.ts';
import type { Io } from '../io.ts';
import { stampOf } from '../present/stamps.ts';
import type { Line, LineSource } from './line-source.ts';
import type { Prefixes } from './prefixes.ts';

/** How lines are printed. */
export interface LineStyle {
  /** What stands in front of each line; `null`: nothing. */
  readonly prefixes: Prefixes | null;
  readonly timestamps: boolean;
  /** As a terminal would show it. */
  readonly plain: boolean;
}

/** About how many bytes it writes at a time. */
const writtenBytes = 64 * 1024;

const lineBreak = Buffer.from('\n');
const carriageReturn = 0x0d;
const nothing = Buffer.alloc(0);

/** Prints lines of several streams, none of which begins within a line of another. */
export class LinePrinter {
  readonly #io: Io;
  readonly #style: LineStyle;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Whose line has not ended. */
  #open: LineSource | null = null;

  constructor(io: Io, style: LineStyle) {
    this.#io = io;
    this.#style = style;
  }

  /** Prints some lines, at once or with the next ones. */
  async add(lines: readonly Line[]): Promise<void> {
    for (const line of lines) this.#add(line);
    if (this.#waitingBytes > writtenBytes) await this.flush();
  }

  #add(line: Line): void {
    const { source, ends } = line;
    const goesOn = this.#open === source && !this.#drawsOver(line);
    if (this.#open !== null && !goesOn) this.#put(lineBreak);
    if (!goesOn) this.#put(this.#headOf(line));
    this.#put(this.#textOf(line));
    if (ends) this.#put(lineBreak);
    this.#open = ends ? null : source;
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    await this.#io.out(bytes);
  }

  /** The line of some sources ends here: what comes is not theirs. */
  async endLineOf(sources: readonly LineSource[]): Promise<void> {
    if (this.#open === null || !sources.includes(this.#open)) return;
    this.#put(lineBreak);
    this.#open = null;
    await this.flush();
  }

  /** The rest. Where names stand in front of lines, each line has an end; else the last one is as it was written. */
  async end(): Promise<void> {
    if (this.#open !== null && this.#style.prefixes !== null) this.#put(lineBreak);
    this.#open = null;
    await this.flush();
  }

  #put(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** A piece that goes back to the beginning of its line, where it cannot go: the name stands there. */
  #drawsOver({ bytes }: Line): boolean {
    const at = bytes.indexOf(carriageReturn);
    return (this.#style.plain || this.#io.terminal) && at >= 0 && at < bytes.length - 1;
  }

  #headOf({ source, at }: Line): Buffer {
    const name = this.#style.prefixes?.of(source.task.id) ?? nothing;
    return this.#style.timestamps ? Buffer.concat([name, Buffer.from(stampOf(at))]) : name;
  }

  #textOf({ bytes, source }: Line): Buffer {
    if (this.#style.plain) return Buffer.from(plainText(bytes.toString()));
    if (!this.#io.terminal) return bytes;
    const text = harmlessText(lastState(bytes.toString()));
    if (text.includes('\x1b')) return Buffer.from(`${text}\x1b[0m`);
    return Buffer.from(source.stream === 'stderr' ? this.#io.colours.red(text) : text);
  }
}

/** Of a line that was written over: a carriage return would go back in front of the name. */
function lastState(text: string): string {
  return text.split('\r').findLast((state) => state !== '') ?? '';
}

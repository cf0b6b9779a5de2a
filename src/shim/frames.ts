import type { TerminalSize } from '../model/words.ts';

/**
 * What goes through the socket of a task whose input is open: frames of a type of one byte, a length of four, and so many
 * bytes; all numbers are little-endian. The other half is native/src/clients.c.
 */
export const framesVersion = 1;

/** Bytes that are typed at once: more go in several frames. */
export const mostInputBytes = 65_536;

const headerBytes = 5;

/** How a task's input and terminal stand. */
export interface Standing {
  readonly version: number;
  /** There is a terminal. */
  readonly isTerminal: boolean;
  /** What is typed is read in lines; else the program reads key by key. */
  readonly isCanonical: boolean;
  /** The terminal shows what is typed. */
  readonly echoes: boolean;
  /** More can be typed. */
  readonly isOpen: boolean;
  readonly size: TerminalSize;
  /** Bytes of output in the file. */
  readonly offset: number;
  /** Bytes that were sent and that nobody has read yet. */
  readonly waitingBytes: number;
  /** The process group in the foreground of the terminal; 0 if there is none. */
  readonly foreground: number;
  /** Clients that get the output. */
  readonly watching: number;
}

/** What the shim answers to input, to its end and to a size. */
export type Answer = 'taken' | 'closed' | 'no-terminal' | 'bad-size';

const answers: readonly Answer[] = ['taken', 'closed', 'no-terminal', 'bad-size'];

/** What comes from the shim. Output without an offset is in no file. */
export type Incoming =
  | { readonly type: 'standing'; readonly standing: Standing }
  | { readonly type: 'answer'; readonly answer: Answer }
  | { readonly type: 'output'; readonly offset: number | null; readonly bytes: Buffer }
  | { readonly type: 'resized'; readonly offset: number; readonly size: TerminalSize }
  | { readonly type: 'end'; readonly offset: number };

/** Bytes are typed. */
export function inputFrame(bytes: Uint8Array): Buffer {
  return frame('i', bytes);
}

/** A terminal answers what a program has asked it: after which byte of the output, and what. The first answer counts. */
export function answerFrame(offset: number, bytes: Uint8Array): Buffer {
  return frame('q', Buffer.concat([uint64(offset), bytes]));
}

/** The input ends. */
export function endFrame(): Buffer {
  return frame('e', Buffer.alloc(0));
}

/** The terminal gets a size. */
export function sizeFrame({ cols, rows }: TerminalSize): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt16LE(cols, 0);
  body.writeUInt16LE(rows, 2);
  return frame('r', body);
}

/** Output is wanted from here on. A client that only reads does not count as somebody who may type. */
export function attachFrame({ readOnly }: { readonly readOnly: boolean }): Buffer {
  return frame('a', Buffer.from([readOnly ? 1 : 0]));
}

/** How does it stand? */
export function askFrame(): Buffer {
  return frame('?', Buffer.alloc(0));
}

/** Takes bytes as they come, and hands on what is whole. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * Frames that are whole by now. Types that are not known are left out.
   * @throws RangeError when what comes is no such stream.
   */
  *read(bytes: Buffer): Generator<Incoming, void, undefined> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= headerBytes) {
      const length = this.#rest.readUInt32LE(1);
      if (length > mostInputBytes * 2)
        throw new RangeError(`a frame of ${length} bytes, which is more than a shim sends`);
      if (this.#rest.length < headerBytes + length) return;
      const body = this.#rest.subarray(headerBytes, headerBytes + length);
      const found = parse(String.fromCharCode(this.#rest[0] ?? 0), body);
      this.#rest = this.#rest.subarray(headerBytes + length);
      if (found !== null) yield found;
    }
  }
}

function parse(type: string, body: Buffer): Incoming | null {
  switch (type) {
    case 'h':
      return { type: 'standing', standing: parseStanding(body) };
    case 'k':
      return { type: 'answer', answer: answers[body.readUInt8(0)] ?? 'closed' };
    case 'o':
      return { type: 'output', offset: Number(body.readBigUInt64LE(0)), bytes: body.subarray(8) };
    case 'u':
      return { type: 'output', offset: null, bytes: body };
    case 'z':
      return { type: 'resized', offset: Number(body.readBigUInt64LE(0)), size: parseSize(body, 8) };
    case 'x':
      return { type: 'end', offset: Number(body.readBigUInt64LE(0)) };
    default:
      return null;
  }
}

function parseStanding(body: Buffer): Standing {
  const flags = body.readUInt8(1);
  return {
    version: body.readUInt8(0),
    isTerminal: (flags & 1) !== 0,
    isCanonical: (flags & 2) !== 0,
    echoes: (flags & 4) !== 0,
    isOpen: (flags & 8) !== 0,
    size: parseSize(body, 2),
    offset: Number(body.readBigUInt64LE(6)),
    waitingBytes: body.readUInt32LE(14),
    foreground: body.readUInt32LE(18),
    watching: body.readUInt8(22),
  };
}

function parseSize(body: Buffer, at: number): TerminalSize {
  return { cols: body.readUInt16LE(at), rows: body.readUInt16LE(at + 2) };
}

function uint64(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
}

function frame(type: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.write(type, 0, 'latin1');
  header.writeUInt32LE(body.length, 1);
  return Buffer.concat([header, body]);
}

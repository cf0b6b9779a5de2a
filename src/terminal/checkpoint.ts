import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { crypto } from '../util/crypto.ts';
import { checkState } from './check-state.ts';
import type { Moment } from './live-screen.ts';
import { type BufferState, cellNumbers, type LineState, type TerminalState } from './state.ts';

/** What a file of a checkpoint begins with: a name and a version. */
const header = Buffer.from('outlive screen\0\x01', 'latin1');

/** The hash of what follows it: a file that is torn says nothing. */
const hashBytes = 32;

/** A file is no larger; a screen that needs more is rendered anew each time. */
export const mostCheckpointBytes = 4 * 1024 ** 2;

/** What a file of that size may come to. */
const mostContentBytes = 48 * 1024 ** 2;

/** A screen of a task that was kept for later. */
export interface Checkpoint {
  /** Whose screen it is, in words of the caller. */
  readonly owner: string;
  readonly moment: Moment;
}

/** A state without its cells: those follow the text. */
interface Written {
  readonly owner: string;
  readonly offset: number;
  /** In base64. */
  readonly before: string;
  readonly state: TerminalState;
}

type WrittenLine = Omit<LineState, 'cells'> & { readonly cols: number };

/** A checkpoint as a file holds it; null when it is too large for one. */
export function encodeCheckpoint({ owner, moment: { offset, before, state } }: Checkpoint): Buffer | null {
  const cells: Uint32Array[] = [];
  const withoutCells = (buffer: BufferState): object => ({
    ...buffer,
    lines: buffer.lines.map(({ cells: own, ...line }): WrittenLine => {
      cells.push(own);
      return { ...line, cols: own.length / cellNumbers };
    }),
  });
  const written = {
    owner,
    offset,
    before: Buffer.from(before).toString('base64'),
    state: { ...state, normal: withoutCells(state.normal), alternate: withoutCells(state.alternate) },
  };
  const text = Buffer.from(JSON.stringify(written));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const content = Buffer.concat([length, text, ...cells.map(bytesOf)]);
  const body = deflateRawSync(content, { level: 1 });
  const file = Buffer.concat([header, hashOf(body), body]);
  return file.length > mostCheckpointBytes || content.length > mostContentBytes ? null : file;
}

/** The checkpoint that a file holds; null when it holds none, has another version, is torn, or could not be a screen. */
export function decodeCheckpoint(file: Uint8Array): Checkpoint | null {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const hashEnd = header.length + hashBytes;
  if (!bytes.subarray(0, header.length).equals(header)) return null;
  const body = bytes.subarray(hashEnd);
  if (!hashOf(body).equals(bytes.subarray(header.length, hashEnd))) return null;
  try {
    return parse(inflateRawSync(body, { maxOutputLength: mostContentBytes }));
  } catch (error) {
    // The hash fits, so somebody has made the file who is not us.
    if (error instanceof SyntaxError || error instanceof RangeError || isOfZlib(error)) return null;
    throw error;
  }
}

function parse(content: Buffer): Checkpoint | null {
  const textEnd = 4 + (content.length < 4 ? 0 : content.readUInt32LE());
  const written: unknown = JSON.parse(content.subarray(4, textEnd).toString());
  if (!isWritten(written)) return null;
  let at = textEnd;
  const withCells = ({ lines, ...buffer }: BufferState): BufferState => ({
    ...buffer,
    lines: (lines as unknown as WrittenLine[]).map(({ cols, ...line }) => {
      const bytes = content.subarray(at, at + cols * cellNumbers * 4);
      at += bytes.length;
      return { ...line, cells: cellsOf(bytes) };
    }),
  });
  const { owner, offset, before, state } = written;
  const whole = { ...state, normal: withCells(state.normal), alternate: withCells(state.alternate) };
  if (at !== content.length || !checkState(whole)) return null;
  return { owner, moment: { offset, before: Buffer.from(before, 'base64'), state: whole } };
}

function isWritten(value: unknown): value is Written {
  const { owner, offset, before, state } = (value ?? {}) as Partial<Written>;
  const isPlaced = Number.isSafeInteger(offset) && (offset ?? -1) >= 0;
  if (typeof owner !== 'string' || typeof before !== 'string' || !isPlaced) return false;
  return [state?.normal, state?.alternate].every(
    (buffer) =>
      Array.isArray(buffer?.lines) &&
      (buffer.lines as unknown as Partial<WrittenLine>[]).every((line) => Number.isSafeInteger(line?.cols)),
  );
}

function bytesOf(cells: Uint32Array): Buffer {
  return Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength);
}

/** A copy, since numbers of four bytes have to begin at such a place. */
function cellsOf(bytes: Buffer): Uint32Array {
  const cells = new Uint32Array(Math.floor(bytes.length / 4));
  bytesOf(cells).set(bytes.subarray(0, cells.byteLength));
  return cells;
}

function hashOf(body: Uint8Array): Buffer {
  return crypto().createHash('sha256').update(body).digest();
}

function isOfZlib(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && (code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE');
}

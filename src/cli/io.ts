import picocolors from 'picocolors';
import { OutliveError, systemCode } from '../errors/error.ts';
import { commandOf } from '../util/quote.ts';
import { visibleLines } from '../util/visible.ts';

/** Paints text, or leaves it as it is. */
export type Colours = ReturnType<typeof picocolors.createColors>;

/** For a note: it shows escapes as what they are. */
export const noColours: Colours = picocolors.createColors(false);

/** Where a verb writes to, and what a reader there can see. */
export interface Io {
  /** One JSON object a line instead of text for people. */
  readonly json: boolean;
  /** stdout is a terminal. */
  readonly terminal: boolean;
  /** Width of the terminal; infinite where there is none. */
  readonly columns: number;
  readonly colours: Colours;
  /** How to run a verb on the same store, as a shell takes it. */
  hint(...words: readonly string[]): string;
  /** Writes data, and resolves when it is handed over: a process that dies before has told nothing. */
  out(data: string | Uint8Array): Promise<void>;
  /** Resolves when what was written has arrived on the machine of the one who asked. */
  arrived(): Promise<void>;
  /** Writes a line that is no data: a hint, a warning. */
  note(line: string): void;
  /** Writes to stderr as it is. */
  err(data: string | Uint8Array): Promise<void>;
}

const toStderr = (line: string): void => void standardError().write(line);

let hasStandardError = false;

/**
 * Stderr. A note that cannot be written is no reason to end, and there is nowhere to say so: what is done, and the exit status,
 * stay as they are. Node opens it when it is asked for.
 */
export function standardError(): NodeJS.WriteStream {
  if (!hasStandardError) process.stderr.on('error', () => undefined);
  hasStandardError = true;
  return process.stderr;
}

let takeNote = toStderr;

/** The caller, if it is on another machine. */
export interface Asker {
  /** Words in front of the verb by which hints reach this machine from there. */
  readonly prefix: readonly string[];
  /** See {@link Io.arrived}. */
  arrived(): Promise<void>;
}

let asker: Asker = { prefix: [], arrived: async () => undefined };

/** Has this process work for somebody on another machine. */
export function standFor(other: Asker): void {
  asker = other;
}

/**
 * Hands the lines of all `note()` of this process to somebody else, until the returned function is called: on a screen that is
 * drawn, they would stand anywhere.
 */
export function divertNotes(take: (line: string) => void): () => void {
  takeNote = take;
  return () => {
    takeNote = toStderr;
  };
}

/** The streams of this process; `store` is the one that was named on the command line. Colours are for terminals only, and `NO_COLOR` turns them off. */
export function processIo(json: boolean, store?: string): Io {
  const { stdout } = process;
  const terminal = stdout.isTTY === true;
  const coloured = terminal && !json && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  let paints: Colours | undefined;
  return {
    json,
    terminal,
    get columns() {
      return terminal ? stdout.columns || 80 : Number.POSITIVE_INFINITY;
    },
    get colours() {
      paints ??= picocolors.createColors(coloured);
      return paints;
    },
    hint: (verb = '', ...words) =>
      commandOf([
        'outlive',
        ...asker.prefix,
        verb,
        ...(store === undefined ? [] : ['--store', store]),
        ...words,
      ]),
    out: (data) => write(stdout, data),
    arrived: () => asker.arrived(),
    // What is told may repeat what somebody has called something, or a record.
    note: (line) => takeNote(`outlive: ${visibleLines(line)}\n`),
    err: (data) => write(standardError(), data),
  };
}

/** What a pipe has no room for is kept until its reader takes it: nothing is written before that. */
async function write(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  if (data.length === 0) return;
  await new Promise<void>((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(printFailed(error)) : resolve()));
  });
}

/** The reader of our output has closed it. Nothing is wrong, and nothing is left to do. */
export class ReaderGone extends Error {}

/** What is thrown for something that could not be printed. */
export function printFailed(error: Error): Error {
  if (systemCode(error) === 'EPIPE')
    return new ReaderGone('nothing reads the output any more', { cause: error });
  return new OutliveError(
    'PRINT_FAILED',
    `expected to write the output; found ${error.message}. Free some space there, or redirect the output.`,
    { cause: error },
  );
}

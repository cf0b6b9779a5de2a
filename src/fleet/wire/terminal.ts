import { bounds } from '../../model/limits.ts';
import { plainLine } from '../../model/plain-line.ts';
import type { TerminalSize } from '../../model/words.ts';
import type { Screen } from '../../terminal/screen.ts';
import { type Fields, wireFields } from './fields.ts';
import { viewForm } from './names.ts';

// What is typed into a task and what its terminal shows, on its way between a client and a host.

/** Characters of base64 of what is typed at once. */
const mostTyped = 512 * 1_024;
/** Keys that are pressed at once, and the characters of the name of one. */
const mostKeys = 1_000;
const longestKey = 64;
/** Bytes of a piece of what a view shows. */
export const mostPieceBytes = 64 * 1_024;
/** Characters of a row: each place may have several, which combine. */
const longestRow = 32 * 1_024;
/** Bytes of the text of a screen, so that an answer is under 512 KiB. */
export const mostScreenBytes = 256 * 1_024;

/** Input for a command: data, then keys, then the end. */
export interface TypedInput {
  readonly data: Buffer;
  /** It is text: for a terminal its line breaks are those of Enter. Absent in a message, as the next two: no. */
  readonly isText: boolean;
  /** It is pasted, not typed. */
  readonly paste: boolean;
  /** The names of keys. */
  readonly press: readonly string[];
  readonly eof: boolean;
}

/** As it stands in a message. */
export function writeTyped({ data, ...rest }: TypedInput): object {
  return { data: data.toString('base64'), ...rest };
}

/** @throws OutliveError `FLEET_FORGED`. */
export function readTyped(fields: Fields): TypedInput {
  return {
    data: Buffer.from(fields.text('data', mostTyped), 'base64'),
    isText: fields.has('isText') && fields.flag('isText'),
    paste: fields.has('paste') && fields.flag('paste'),
    press: fields.has('press') ? fields.texts('press', mostKeys, longestKey) : [],
    eof: fields.flag('eof'),
  };
}

/** The size of a terminal. @throws OutliveError `FLEET_FORGED`. */
export function readSize(fields: Fields): TerminalSize {
  const side = (name: string): number => fields.whole(name, { least: 1, most: bounds.terminalSide });
  return { cols: side('cols'), rows: side('rows') };
}

/** The size of a terminal of which less is known. @throws OutliveError `FLEET_FORGED`. */
export function readSizeOrNull(fields: Fields, name: string): TerminalSize | null {
  const size = fields.innerOrNull(name);
  return size === null ? null : readSize(size);
}

/** What a person at a view of a terminal has done since the message before. */
export interface ViewMessage {
  /** 16 random hexadecimal digits. */
  readonly view: string;
  /** From 1; each message has one more. What comes twice is done once. */
  readonly number: number;
  /** The view begins with this message, or begins anew: all is shown again. */
  readonly opens: boolean;
  readonly readOnly: boolean;
  /** Of the person's terminal; `null`: it is not known. */
  readonly size: TerminalSize | null;
  /** What was typed. */
  readonly keys: Buffer;
  /** The person is gone. */
  readonly leaves: boolean;
}

/** As it stands in a message. */
export function writeView({ keys, ...rest }: ViewMessage): object {
  return { keys: keys.toString('base64'), ...rest };
}

/** @throws OutliveError `FLEET_FORGED`. */
export function readView(fields: Fields): ViewMessage {
  return {
    view: fields.formed('view', viewForm),
    number: fields.whole('number', { least: 1 }),
    opens: fields.flag('opens'),
    readOnly: fields.flag('readOnly'),
    size: readSizeOrNull(fields, 'size'),
    keys: Buffer.from(fields.text('keys', mostTyped), 'base64'),
    leaves: fields.flag('leaves'),
  };
}

/** How a view stands: the answer to a {@link ViewMessage}. */
export interface ViewState {
  /**
   * `ended`: the command has. `displaced`: others have taken its place. `unknown`: the host no longer has it, or never
   * had it.
   */
  readonly state: 'open' | 'ended' | 'displaced' | 'unknown';
  /** How many pieces were published since it was opened. */
  readonly pieces: number;
}

/** @throws OutliveError `FLEET_FORGED`. */
export function readViewState(value: unknown): ViewState {
  const fields = wireFields(value, 'the state of a view');
  return {
    state: fields.oneOf('state', ['open', 'ended', 'displaced', 'unknown'] as const),
    pieces: fields.whole('pieces'),
  };
}

/** A piece of what a view shows: bytes for the person's terminal. */
export interface ViewPiece {
  /** The number of the message that has opened the view. */
  readonly opened: number;
  /** From 1, since then. */
  readonly number: number;
  readonly bytes: Buffer;
  /** The command has ended, and nothing comes after it. */
  readonly last: boolean;
}

/** As it stands in a message. */
export function writePiece({ bytes, ...rest }: ViewPiece): object {
  return { bytes: bytes.toString('base64'), ...rest };
}

/** @throws OutliveError `FLEET_FORGED`. */
export function readPiece(value: unknown): ViewPiece {
  const fields = wireFields(value, 'a piece of a view').versioned();
  return {
    opened: fields.whole('opened', { least: 1 }),
    number: fields.whole('number', { least: 1 }),
    bytes: Buffer.from(fields.text('bytes', 2 * mostPieceBytes), 'base64'),
    last: fields.flag('last'),
  };
}

/** What a terminal shows, as a host says it: its text is data, and without control characters. @throws OutliveError `FLEET_FORGED`. */
export function readScreen(value: unknown): Screen {
  const fields = wireFields(value, 'the screen of a host');
  const cursor = fields.inner('cursor');
  return {
    ...readSize(fields),
    lines: fields.texts('lines', bounds.terminalSide, longestRow).map(plainLine),
    cursor: { x: cursor.whole('x'), y: cursor.whole('y'), visible: cursor.flag('visible') },
    alternate: fields.flag('alternate'),
    title: plainLine(fields.text('title', longestRow)),
    ended: fields.flag('ended'),
  };
}

import { bounds } from '../../model/limits.ts';
import { plainLine } from '../../model/plain-line.ts';
import type { TerminalSize } from '../../model/words.ts';
import type { Screen } from '../../terminal/screen.ts';
import { type Fields, wireFields } from './fields.ts';
import { viewForm } from './names.ts';

// What a person types into a task and what its terminal shows, as messages between a client and a host.

/** The most input in one message, in characters of base64. */
const mostTyped = 512 * 1_024;
/** The most keys in one message, and the most characters of a key's name. */
const mostKeys = 1_000;
const longestKey = 64;
/** The most bytes in one piece of what a view shows. */
export const mostPieceBytes = 64 * 1_024;
/** The most characters of a row. One cell may hold several combining characters. */
const longestRow = 32 * 1_024;
/** The most bytes of a screen's text, so that an answer stays under 512 KiB. */
export const mostScreenBytes = 256 * 1_024;

/** Input for a command: data, then keys, then the end of the input. */
export interface TypedInput {
  readonly data: Buffer;
  /** The data is text: for a terminal each line break becomes Enter. A message may omit this field and the next two. */
  readonly isText: boolean;
  /** The data is pasted, not typed. */
  readonly paste: boolean;
  /** The names of keys. */
  readonly press: readonly string[];
  readonly eof: boolean;
}

/** The form of input in a message. */
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

/** The size of a terminal; `null`: it is not known. @throws OutliveError `FLEET_FORGED`. */
export function readSizeOrNull(fields: Fields, name: string): TerminalSize | null {
  const size = fields.innerOrNull(name);
  return size === null ? null : readSize(size);
}

/** What a person at a view of a terminal has done since the previous message. */
export interface ViewMessage {
  /** 16 random hexadecimal digits. */
  readonly view: string;
  /** Counts the messages from 1. The host handles a repeated message only once. */
  readonly number: number;
  /** This message opens the view, or opens it again. The host then shows everything again. */
  readonly opens: boolean;
  readonly readOnly: boolean;
  /** The size of the person's terminal; `null`: it is not known. */
  readonly size: TerminalSize | null;
  /** What was typed. */
  readonly keys: Buffer;
  /** The person has left. */
  readonly leaves: boolean;
}

/** The form of this in a message. */
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

/** The state of a view: the answer to a {@link ViewMessage}. */
export interface ViewState {
  /**
   * `ended`: the command has ended. `displaced`: other viewers have taken the place of this view. `unknown`: the host
   * does not have this view.
   */
  readonly state: 'open' | 'ended' | 'displaced' | 'unknown';
  /** How many pieces the host has published since the view was opened. */
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
  /** The number of the message that opened the view. */
  readonly opened: number;
  /** Counts the pieces since then, from 1. */
  readonly number: number;
  readonly bytes: Buffer;
  /** The command has ended, and no piece follows. */
  readonly last: boolean;
}

/** The form of a piece in a message. */
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

/**
 * Reads the screen that a host reports, and removes control characters from its text.
 * @throws OutliveError `FLEET_FORGED`.
 */
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

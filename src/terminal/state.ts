/** How large a terminal is, in cells. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/**
 * A terminal as plain data: what it shows, and all that decides what it does with the bytes that come next. It is as of a
 * moment at which no escape sequence and no character is half written.
 */
export interface TerminalState extends TerminalSize {
  /** Whether the alternate screen shows, as full-screen programs use it. */
  readonly showsAlternate: boolean;
  readonly normal: BufferState;
  /** Without lines while the normal screen shows. */
  readonly alternate: BufferState;
  readonly pen: Pen;
  /** The character sets G0 to G3, by the letters that designate them; null: ASCII. */
  readonly charsets: readonly (string | null)[];
  /** Which of them is in use, and what it is: after a cursor was restored it need not be the same. */
  readonly charsetLevel: number;
  readonly charset: string | null;
  readonly modes: TerminalModes;
  /** Screens that were kept before there was one have none. */
  readonly keyboard?: KeyboardState;
  readonly title: string;
  readonly iconName: string;
  /** What the last character was, for one that joins it, or repeats it. */
  readonly lastCharacter: number;
}

/** One of the two screens of a terminal, and what has scrolled off its top. */
export interface BufferState {
  readonly lines: readonly LineState[];
  /** As many lines as it keeps. */
  readonly mostLines: number;
  /** The first line that shows. */
  readonly base: number;
  /** The cursor, from 0; in the column after the last one when the next character goes to the next row. */
  readonly x: number;
  readonly y: number;
  readonly saved: SavedCursor;
  /** The first and the last row that scroll, from 0. */
  readonly top: number;
  readonly bottom: number;
  readonly tabs: readonly number[];
}

/** What a program has saved with its cursor. */
export interface SavedCursor {
  readonly x: number;
  /** Counted from the first line that is kept. */
  readonly line: number;
  readonly pen: Pen;
  readonly charset: string | null;
}

/** Characters that are kept of a title, and of the name of an icon. */
export const longestTitle = 4096;

/** Numbers that a cell has: what is in it, its foreground, and its background. See cells.ts. */
export const cellNumbers = 3;

/** In the first of them: what is in the cell is in {@link LineState.combined}. */
export const isCombined = 0x200000;

/** In the last of them: how the cell is underlined is in {@link LineState.extended}. */
export const hasExtended = 0x10000000;

/** A row of cells. */
export interface LineState {
  readonly cells: Uint32Array;
  /** The row above had no room for it. */
  readonly wrapped: boolean;
  /** By column: characters that are made of several. */
  readonly combined: Readonly<Record<number, string>>;
  /** By column: how a cell is underlined, as a {@link Pen} has it. */
  readonly extended: Readonly<Record<number, number>>;
}

/** How characters look: the numbers of a cell, and how it is underlined. */
export interface Pen {
  readonly fg: number;
  readonly bg: number;
  readonly extended: number;
}

/** What programs switch on and off. */
export interface TerminalModes {
  readonly insert: boolean;
  readonly lineFeedReturns: boolean;
  readonly origin: boolean;
  readonly wrap: boolean;
  readonly reverseWrap: boolean;
  readonly applicationCursor: boolean;
  readonly applicationKeypad: boolean;
  readonly bracketedPaste: boolean;
  readonly focusEvents: boolean;
  readonly synchronized: boolean;
  readonly mouse: MouseTracking;
  readonly mouseEncoding: MouseEncoding;
  readonly cursorHidden: boolean;
  readonly cursorStyle: CursorStyle | null;
  readonly cursorBlinks: boolean | null;
}

/** How keys are reported that have no sequence of their own. */
export interface KeyboardState {
  /** The flags of kitty's protocol on the normal screen: those of the screen, and then those that a program has put on them. */
  readonly normal: readonly number[];
  readonly alternate: readonly number[];
  /** xterm's modifyOtherKeys. */
  readonly otherKeys: number;
}

/** Which events of a mouse a program hears of. */
export const mouseTrackings = ['NONE', 'X10', 'VT200', 'DRAG', 'ANY'] as const;
export type MouseTracking = (typeof mouseTrackings)[number];

/** How it hears of them. */
export const mouseEncodings = ['DEFAULT', 'SGR', 'SGR_PIXELS'] as const;
export type MouseEncoding = (typeof mouseEncodings)[number];

/** What a cursor looks like. */
export const cursorStyles = ['block', 'underline', 'bar'] as const;
export type CursorStyle = (typeof cursorStyles)[number];

import { OutliveError } from '../errors/error.ts';
import { cellWidth } from '../model/cell-width.ts';
import type { CursorStyle, MouseEncoding, MouseTracking, TerminalSize } from './state.ts';

/**
 * What we use of the inside of @xterm/headless. Its public interface shows neither the scroll region nor saved cursors,
 * tab stops or character sets, and it parses in turns of its own, where an exception ends the process. So the package is
 * held at one version, and checkShape() looks whether this is it.
 */
export interface Xterm {
  readonly _core: XtermCore;
  readonly unicode: { register(provider: object): void; activeVersion: string };
  readonly parser: {
    registerCsiHandler(
      id: { prefix?: string; final: string },
      handler: (parameters: (number | number[])[]) => boolean,
    ): unknown;
    registerEscHandler(id: { final: string }, handler: () => boolean): unknown;
    registerOscHandler(command: number, handler: (text: string) => boolean): unknown;
  };
  onData(listener: (text: string) => void): unknown;
  resize(cols: number, rows: number): void;
  dispose(): void;
}

/** As {@link Xterm}. */
export interface XtermCore {
  readonly cols: number;
  readonly rows: number;
  readonly buffers: {
    readonly normal: XtermBuffer;
    readonly alt: XtermBuffer;
    readonly active: XtermBuffer;
    activateAltBuffer(): void;
  };
  readonly optionsService: { readonly options: { convertEol: boolean; cursorBlink: boolean } };
  readonly coreService: {
    isCursorHidden: boolean;
    readonly modes: { insertMode: boolean };
    readonly decPrivateModes: {
      applicationCursorKeys: boolean;
      applicationKeypad: boolean;
      bracketedPasteMode: boolean;
      cursorBlink: boolean | undefined;
      cursorStyle: CursorStyle | undefined;
      origin: boolean;
      reverseWraparound: boolean;
      sendFocus: boolean;
      synchronizedOutput: boolean;
      wraparound: boolean;
    };
  };
  readonly coreMouseService: { activeProtocol: MouseTracking; activeEncoding: MouseEncoding };
  readonly _charsetService: {
    charset: object | undefined;
    glevel: number;
    readonly _charsets: (object | undefined)[];
    setgCharset(level: number, charset: object | undefined): void;
  };
  readonly _inputHandler: XtermInput;
}

/** As {@link Xterm}. */
export interface XtermInput {
  readonly _parser: { currentState: number; precedingJoinState: number; reset(): void };
  readonly _curAttrData: XtermPen;
  _windowTitle: string;
  _iconName: string;
  parse(bytes: Uint8Array): unknown;
  print(codes: Uint32Array, start: number, end: number): void;
  _restrictCursor(mostColumns?: number): void;
  _eraseInBufferLine(row: number, from: number, to: number, unwrap: boolean, keepProtected: boolean): void;
  _resetBufferLine(row: number, keepProtected: boolean): void;
  insertLines(parameters: XtermParameters): boolean;
  deleteLines(parameters: XtermParameters): boolean;
  scrollUp(parameters: XtermParameters): boolean;
  scrollDown(parameters: XtermParameters): boolean;
  cursorForwardTab(parameters: XtermParameters): boolean;
  cursorBackwardTab(parameters: XtermParameters): boolean;
  repeatPrecedingCharacter(parameters: XtermParameters): boolean;
}

/** As {@link Xterm}. */
export interface XtermParameters {
  readonly params: readonly number[];
  readonly length: number;
}

/** As {@link Xterm}. */
export interface XtermBuffer {
  x: number;
  y: number;
  ybase: number;
  ydisp: number;
  savedX: number;
  savedY: number;
  savedCharset: object | undefined;
  readonly savedCurAttrData: XtermPen;
  scrollTop: number;
  scrollBottom: number;
  tabs: Record<number, boolean | undefined>;
  readonly lines: {
    length: number;
    maxLength: number;
    get(index: number): XtermLine | undefined;
    push(line: XtermLine): void;
  };
  readonly _memoryCleanupQueue: { clear(): void };
  getNullCell(): object;
  getBlankLine(pen: XtermPen, isWrapped?: boolean): XtermLine;
}

/** As {@link Xterm}. */
export interface XtermLine {
  readonly length: number;
  isWrapped: boolean;
  readonly _data: Uint32Array;
  readonly _combined: Record<number, string>;
  readonly _extendedAttrs: Record<number, XtermExtended | undefined>;
  getWidth(column: number): number;
  hasContent(column: number): number;
  resize(cols: number, cell: object): boolean;
  setCellFromCodepoint(column: number, code: number, width: number, pen: XtermPen): void;
}

/** As {@link Xterm}. */
export interface XtermPen {
  fg: number;
  bg: number;
  extended: XtermExtended;
  clone(): XtermPen;
}

/** As {@link Xterm}. */
export interface XtermExtended {
  ext: number;
  clone(): XtermExtended;
}

/** Lines above the screen that are kept: they come back when it grows. */
const historyLines = 200;

type TerminalClass = new (options: object) => Xterm;

let loaded: TerminalClass | undefined;

/** Loads the emulator: 40 ms, which a process that shows no screen does not spend. */
export async function loadXterm(): Promise<void> {
  if (loaded !== undefined) return;
  const found: Partial<typeof import('@xterm/headless')> & { readonly default?: object } = await import(
    '@xterm/headless'
  );
  // Node gives a module of CommonJS as the default alone, Bun and bundlers by its names.
  const Terminal = (found.Terminal ?? (found.default as typeof found).Terminal) as unknown as TerminalClass;
  checkShape(new Terminal({ cols: 2, rows: 1, allowProposedApi: true }));
  loaded = Terminal;
}

/** A terminal that shows nothing yet. {@link loadXterm} comes first. */
export function makeXterm({ cols, rows }: TerminalSize): Xterm {
  if (loaded === undefined) throw new TypeError('the emulator is loaded before it is used');
  const terminal = new loaded({
    cols,
    rows,
    scrollback: historyLines,
    allowProposedApi: true,
    logLevel: 'off',
  });
  terminal.unicode.register(widths);
  terminal.unicode.activeVersion = widths.version;
  return terminal;
}

function checkShape(terminal: Xterm): void {
  const core: Partial<XtermCore> | undefined = terminal._core;
  const input: Partial<XtermInput> | undefined = core?._inputHandler;
  const buffer: Partial<XtermBuffer> | undefined = core?.buffers?.normal;
  const isIt =
    typeof input?.parse === 'function' &&
    typeof input._resetBufferLine === 'function' &&
    typeof input._parser?.currentState === 'number' &&
    typeof core?._charsetService?.setgCharset === 'function' &&
    typeof core.coreService?.decPrivateModes?.wraparound === 'boolean' &&
    typeof core.coreMouseService?.activeProtocol === 'string' &&
    typeof buffer?.savedCurAttrData?.extended?.ext === 'number' &&
    typeof buffer._memoryCleanupQueue?.clear === 'function' &&
    buffer.lines?.get(0)?._data instanceof Uint32Array;
  terminal.dispose();
  if (isIt) return;
  throw new OutliveError(
    'INTERNAL',
    'expected @xterm/headless 6.0.0, which outlive depends on; found another version. Install the dependencies of outlive as its package.json names them.',
  );
}

/** Widths by character, one more than they are: 0 is one that has not been asked for. Planes above the third are one cell wide. */
const known = new Uint8Array(0x40000);

/** Cells that a character takes, as our own tables have it: those of the emulator are older than emoji. */
const widths = {
  version: 'outlive',
  wcwidth: widthOf,
  /**
   * What the emulator asks for: the width, and whether the character joins what stands before it. It does so after an escape
   * sequence, too.
   */
  charProperties(code: number, preceding: number): number {
    const width = widthOf(code);
    const before = (preceding >> 1) & 3;
    return width === 0 ? (before << 1) | 1 : width << 1;
  },
};

/** Cells that a character takes. */
export function widthOf(code: number): number {
  if (code < 0x7f) return code < 0x20 ? 0 : 1;
  const width = known[code];
  if (width === undefined) return code >= 0xe0000 && code <= 0xe01ef ? 0 : 1;
  if (width > 0) return width - 1;
  const found = code < 0xa0 ? 0 : cellWidth(String.fromCodePoint(code));
  known[code] = found + 1;
  return found;
}

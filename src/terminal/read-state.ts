import { letterOf, lettersOf } from './charsets.ts';
import {
  type BufferState,
  cellNumbers,
  hasExtended,
  isCombined,
  type LineState,
  type Pen,
  type TerminalModes,
  type TerminalState,
} from './state.ts';
import type { XtermBuffer, XtermCore, XtermExtended, XtermLine, XtermPen } from './xterm.ts';

/** All that there is of a terminal, as plain data. */
export function readState(core: XtermCore): TerminalState {
  const { buffers, _charsetService: charset, _inputHandler: input } = core;
  return {
    cols: core.cols,
    rows: core.rows,
    showsAlternate: buffers.active === buffers.alt,
    normal: readBuffer(buffers.normal),
    alternate: readBuffer(buffers.alt),
    pen: readPen(input._curAttrData),
    charsets: lettersOf(core),
    charsetLevel: charset.glevel,
    charset: letterOf(charset.charset),
    modes: readModes(core),
    title: input._windowTitle,
    iconName: input._iconName,
    lastCharacter: input._parser.precedingJoinState,
  };
}

/** What programs have switched on and off. */
export function readModes({
  coreService,
  coreMouseService: mouse,
  optionsService,
}: XtermCore): TerminalModes {
  const { decPrivateModes: modes } = coreService;
  return {
    insert: coreService.modes.insertMode,
    lineFeedReturns: optionsService.options.convertEol,
    origin: modes.origin,
    wrap: modes.wraparound,
    reverseWrap: modes.reverseWraparound,
    applicationCursor: modes.applicationCursorKeys,
    applicationKeypad: modes.applicationKeypad,
    bracketedPaste: modes.bracketedPasteMode,
    focusEvents: modes.sendFocus,
    synchronized: modes.synchronizedOutput,
    mouse: mouse.activeProtocol,
    mouseEncoding: mouse.activeEncoding,
    cursorHidden: coreService.isCursorHidden,
    cursorStyle: modes.cursorStyle ?? null,
    cursorBlinks: modes.cursorBlink ?? null,
  };
}

function readBuffer(buffer: XtermBuffer): BufferState {
  const { lines, savedCurAttrData, savedCharset } = buffer;
  return {
    lines: readLines(buffer, 0, lines.length),
    mostLines: lines.maxLength,
    base: buffer.ybase,
    x: buffer.x,
    y: buffer.y,
    saved: {
      x: buffer.savedX,
      line: buffer.savedY,
      pen: readPen(savedCurAttrData),
      charset: letterOf(savedCharset),
    },
    top: buffer.scrollTop,
    bottom: buffer.scrollBottom,
    tabs: Object.keys(buffer.tabs)
      .map(Number)
      .filter((column) => buffer.tabs[column] === true),
  };
}

/** Some lines of a buffer, counted from the first that is kept. */
export function readLines({ lines }: XtermBuffer, from: number, to: number): LineState[] {
  const read: LineState[] = [];
  for (let at = from; at < to; at += 1) {
    const line = lines.get(at);
    if (line !== undefined) read.push(readLine(line));
  }
  return read;
}

function readLine({ length, isWrapped, _data, _combined, _extendedAttrs }: XtermLine): LineState {
  const cells = _data.slice(0, length * cellNumbers);
  const combined: Record<number, string> = {};
  const extended: Record<number, number> = {};
  for (let column = 0; column < length; column += 1) {
    const [content = 0, , bg = 0] = cells.subarray(column * cellNumbers, (column + 1) * cellNumbers);
    // What is left of earlier characters in these tables means nothing.
    if (content & isCombined) combined[column] = _combined[column] ?? '';
    if (bg & hasExtended) extended[column] = numberOf(_extendedAttrs[column]);
  }
  return { cells, wrapped: isWrapped, combined, extended };
}

function readPen({ fg, bg, extended }: XtermPen): Pen {
  return { fg, bg, extended: numberOf(extended) };
}

function numberOf(extended: XtermExtended | undefined): number {
  return extended?.ext ?? 0;
}

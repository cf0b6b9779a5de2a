import { charsetOf } from './charsets.ts';
import type { BufferState, LineState, Pen, SavedCursor, TerminalModes, TerminalState } from './state.ts';
import type { XtermBuffer, XtermCore, XtermPen } from './xterm.ts';

/** Makes a terminal that shows nothing yet, and has the size of a state, what that state is. */
export function restoreState(core: XtermCore, state: TerminalState): void {
  const { buffers, _charsetService: charset, _inputHandler: input } = core;
  const blank = input._curAttrData.clone();
  restorePen(input._curAttrData, state.pen);
  if (state.showsAlternate) buffers.activateAltBuffer();
  restoreBuffer(buffers.normal, state.normal, blank);
  restoreBuffer(buffers.alt, state.alternate, blank);
  for (const [level, letter] of state.charsets.entries()) charset.setgCharset(level, charsetOf(letter));
  charset.glevel = state.charsetLevel;
  charset.charset = charsetOf(state.charset);
  restoreModes(core, state.modes);
  input._windowTitle = state.title;
  input._iconName = state.iconName;
  input._parser.precedingJoinState = state.lastCharacter;
}

function restoreModes(core: XtermCore, modes: TerminalModes): void {
  const { coreService, coreMouseService: mouse, optionsService } = core;
  optionsService.options.convertEol = modes.lineFeedReturns;
  coreService.modes.insertMode = modes.insert;
  coreService.isCursorHidden = modes.cursorHidden;
  Object.assign(coreService.decPrivateModes, {
    applicationCursorKeys: modes.applicationCursor,
    applicationKeypad: modes.applicationKeypad,
    bracketedPasteMode: modes.bracketedPaste,
    cursorBlink: modes.cursorBlinks ?? undefined,
    cursorStyle: modes.cursorStyle ?? undefined,
    origin: modes.origin,
    reverseWraparound: modes.reverseWrap,
    sendFocus: modes.focusEvents,
    synchronizedOutput: modes.synchronized,
    wraparound: modes.wrap,
  });
  mouse.activeProtocol = modes.mouse;
  mouse.activeEncoding = modes.mouseEncoding;
}

function restoreBuffer(buffer: XtermBuffer, state: BufferState, blank: XtermPen): void {
  buffer.lines.length = 0;
  buffer.lines.maxLength = state.mostLines;
  for (const line of state.lines) restoreLine(buffer, line, blank);
  buffer.ybase = state.base;
  buffer.ydisp = state.base;
  buffer.x = state.x;
  buffer.y = state.y;
  restoreSaved(buffer, state.saved);
  buffer.scrollTop = state.top;
  buffer.scrollBottom = state.bottom;
  buffer.tabs = Object.fromEntries(state.tabs.map((column) => [column, true]));
}

function restoreLine(buffer: XtermBuffer, state: LineState, blank: XtermPen): void {
  const line = buffer.getBlankLine(blank, state.wrapped);
  line._data.set(state.cells);
  Object.assign(line._combined, state.combined);
  for (const [column, extended] of Object.entries(state.extended)) {
    const own = blank.extended.clone();
    own.ext = extended;
    line._extendedAttrs[Number(column)] = own;
  }
  buffer.lines.push(line);
}

function restoreSaved(buffer: XtermBuffer, saved: SavedCursor): void {
  buffer.savedX = saved.x;
  buffer.savedY = saved.line;
  buffer.savedCharset = charsetOf(saved.charset);
  restorePen(buffer.savedCurAttrData, saved.pen);
}

function restorePen(pen: XtermPen, { fg, bg, extended }: Pen): void {
  pen.extended = pen.extended.clone();
  pen.extended.ext = extended;
  pen.fg = fg;
  pen.bg = bg;
}

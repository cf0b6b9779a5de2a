import { isKeyboard } from './keyboard.ts';
import {
  type BufferState,
  cellNumbers,
  cursorStyles,
  hasExtended,
  isCombined,
  type LineState,
  longestTitle,
  mouseEncodings,
  mouseTrackings,
  type Pen,
  type TerminalModes,
  type TerminalState,
} from './state.ts';

// A checkpoint is a file, and the process that may write it may write anything: an emulator gets only what could be a screen.

/** The largest size, in each direction. */
const largestSize = 10_000;

/** Lines of a buffer: a screen and what is above it. */
const mostLines = 2 * largestSize;

/** Characters of a cell. */
const longestCell = 256;

const modeNames: readonly (keyof TerminalModes)[] = [
  'insert',
  'lineFeedReturns',
  'origin',
  'wrap',
  'reverseWrap',
  'applicationCursor',
  'applicationKeypad',
  'bracketedPaste',
  'focusEvents',
  'synchronized',
  'cursorHidden',
];

/** Whether something could be the state of a terminal. Its buffers have lines, and those have cells. */
export function checkState(state: TerminalState): boolean {
  const { cols, rows, pen, charsets, charsetLevel, charset, modes, lastCharacter } = state;
  return (
    isWithin(cols, 2, largestSize) &&
    isWithin(rows, 1, largestSize) &&
    typeof state.showsAlternate === 'boolean' &&
    isBuffer(state.normal, state, true) &&
    isBuffer(state.alternate, state, state.showsAlternate) &&
    isPen(pen) &&
    Array.isArray(charsets) &&
    charsets.length === 4 &&
    [...charsets, charset].every(isCharset) &&
    isWithin(charsetLevel, 0, 3) &&
    isModes(modes) &&
    (state.keyboard === undefined || (isRecord(state.keyboard) && isKeyboard(state.keyboard))) &&
    isText(state.title) &&
    isText(state.iconName) &&
    isWithin(lastCharacter, 0, 0xffff_ffff)
  );
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= longestTitle;
}

function isCharset(value: unknown): boolean {
  return value === null || (typeof value === 'string' && value.length === 1);
}

/** The numbers of a cell have 32 bits, with a sign or without. */
function isNumber(value: unknown): boolean {
  return isWithin(value, -0x8000_0000, 0xffff_ffff);
}

function isPen(pen: Pen | undefined): boolean {
  return isNumber(pen?.fg) && isNumber(pen?.bg) && isNumber(pen?.extended);
}

function isModes(modes: TerminalModes | undefined): boolean {
  if (modes === undefined || modes === null) return false;
  const { mouse, mouseEncoding, cursorStyle, cursorBlinks } = modes;
  return (
    modeNames.every((name) => typeof modes[name] === 'boolean') &&
    mouseTrackings.includes(mouse) &&
    mouseEncodings.includes(mouseEncoding) &&
    (cursorStyle === null || cursorStyles.includes(cursorStyle)) &&
    (cursorBlinks === null || typeof cursorBlinks === 'boolean')
  );
}

/** @param shows whether it has all the lines of the screen; else it has none. */
function isBuffer(buffer: BufferState, { cols, rows }: TerminalState, shows: boolean): boolean {
  const { lines, base, x, y, saved, top, bottom, tabs } = buffer;
  return (
    isWithin(buffer.mostLines, 1, mostLines) &&
    lines.length <= buffer.mostLines &&
    (shows ? lines.length === base + rows : lines.length === 0) &&
    lines.every((line) => isLine(line, cols)) &&
    isWithin(base, 0, mostLines) &&
    isWithin(x, 0, largestSize) &&
    isWithin(y, 0, largestSize) &&
    (!shows || (x <= cols && y < rows)) &&
    isWithin(saved?.x, 0, largestSize) &&
    isWithin(saved.line, 0, mostLines) &&
    isPen(saved.pen) &&
    isCharset(saved.charset) &&
    isWithin(top, 0, rows - 1) &&
    isWithin(bottom, top, rows - 1) &&
    Array.isArray(tabs) &&
    tabs.length <= 2 * largestSize &&
    tabs.every((tab) => isWithin(tab, 0, largestSize))
  );
}

function isLine({ cells, wrapped, combined, extended }: LineState, cols: number): boolean {
  if (cells.length !== cols * cellNumbers || typeof wrapped !== 'boolean') return false;
  if (!isRecord(combined) || !isRecord(extended)) return false;
  for (let column = 0; column < cols; column += 1)
    if (!isCell(cells.subarray(column * cellNumbers), combined[column], extended[column])) return false;
  return true;
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isCell(cell: Uint32Array, text: unknown, extended: unknown): boolean {
  const [content = 0, , bg = 0] = cell;
  const code = content & 0x1fffff;
  const isShown = code === 0 || (code >= 0x20 && (code < 0x7f || code >= 0xa0) && code <= 0x10ffff);
  if (!isShown || content >>> 22 > 2) return false;
  if ((bg & hasExtended) !== 0 && !isNumber(extended)) return false;
  if ((content & isCombined) === 0) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return typeof text === 'string' && text.length <= longestCell && !/[\x00-\x1f\x7f-\x9f]/.test(text);
}

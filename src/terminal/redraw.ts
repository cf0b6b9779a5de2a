import { lastCharacter, lookOf, runsOf, sgrOf } from './cells.ts';
import { keyboardSequences } from './keyboard.ts';
import { titleOf } from './screen.ts';
import type {
  BufferState,
  CursorStyle,
  LineState,
  MouseTracking,
  SavedCursor,
  TerminalState,
} from './state.ts';

/** What a terminal has by itself: a tab stop each 8 columns. */
const tabWidth = 8;

/**
 * What to write to a person's terminal so that it shows what this one does, and goes on like this one with the bytes that
 * come next. What was on it before moves into its history. It is made for a terminal of the same size.
 */
export function redraw(state: TerminalState): string {
  const active = state.showsAlternate ? state.alternate : state.normal;
  const title = titleOf(state.title);
  const parts = [
    '\x1b[?2026h',
    // As a terminal is at first, whatever it was before.
    '\x1b[?6l\x1b[r\x1b[4l\x1b[?7h\x1b(B\x0f\x1b[m',
    clearPage(state.rows),
    state.showsAlternate ? paint(state.normal, state.rows) : '',
    // This saves the cursor of the normal screen.
    state.showsAlternate ? `${savedPlace(state.normal)}\x1b[?1049h\x1b[m\x1b[H\x1b[2J` : '',
    paint(active, state.rows),
    tabStops(active, state.cols),
    `${savedPlace(active)}\x1b7`,
    title === '' ? '' : `\x1b]2;${title}\x07`,
    scrolling(active, state),
    cursor(active, state),
    charsets(state),
    sgrOf(lookOf(state.pen)),
    switches(state),
    state.keyboard === undefined ? '' : keyboardSequences(state.keyboard, state.showsAlternate),
    '\x1b[?2026l',
  ];
  return parts.join('');
}

/** Moves what shows into the history. */
function clearPage(rows: number): string {
  return `\x1b[${rows};1H${'\n'.repeat(rows)}\x1b[H\x1b[2J`;
}

function paint({ lines, base }: BufferState, rows: number): string {
  return lines
    .slice(base, base + rows)
    .map((line, row) => paintRow(line, row))
    .join('');
}

function paintRow(line: LineState, row: number): string {
  const runs = runsOf(line);
  if (runs.length === 0) return '';
  return `${place(0, row)}${runs.map((run) => `${sgrOf(run)}${run.text}`).join('')}\x1b[m`;
}

function place(x: number, y: number): string {
  return `\x1b[${y + 1};${x + 1}H`;
}

/** Moves to the cursor that a program has saved, with its colours, so that it can be saved again. */
function savedPlace({ saved, base }: { readonly saved: SavedCursor; readonly base: number }): string {
  return `${place(saved.x, Math.max(0, saved.line - base))}${sgrOf(lookOf(saved.pen))}`;
}

function tabStops({ tabs }: BufferState, cols: number): string {
  const set = tabs.filter((column) => column < cols);
  const usual = Array.from({ length: Math.ceil(cols / tabWidth) }, (_, at) => at * tabWidth);
  if (usual.every((column, at) => set[at] === column) && set.length === usual.length) return '';
  return `\x1b[3g${set.map((column) => `${place(column, 0)}\x1bH`).join('')}`;
}

/** A cursor that was restored brings its own character set back, whichever is designated. */
function charsets({ charsets: sets, charsetLevel, charset }: TerminalState): string {
  const designate = ['(', ')', '*', '+'];
  const chosen = sets
    .with(charsetLevel, charset)
    .map((letter, level) => (letter === null ? '' : `\x1b${designate[level]}${letter}`));
  return `${chosen.join('')}${['\x0f', '\x0e', '\x1bn', '\x1bo'][charsetLevel] ?? ''}`;
}

function scrolling({ top, bottom }: BufferState, { rows }: TerminalState): string {
  return top === 0 && bottom === rows - 1 ? '' : `\x1b[${top + 1};${bottom + 1}r`;
}

/** Where the cursor is. Beyond the last column it comes only by a character that is written there. */
function cursor({ x, y, top, lines, base }: BufferState, { cols, modes: { origin } }: TerminalState): string {
  const row = y - (origin ? top : 0);
  const mode = origin ? '\x1b[?6h' : '';
  const line = lines[base + y];
  if (x < cols || line === undefined) return `${mode}${place(Math.min(x, cols - 1), row)}`;
  const { text, width, ...look } = lastCharacter(line);
  return `${mode}${place(cols - width, row)}${sgrOf(look)}${text}`;
}

const cursorNumbers: Readonly<Record<CursorStyle, number>> = { block: 2, underline: 4, bar: 6 };

const mouseNumbers: Readonly<Record<MouseTracking, number | null>> = {
  NONE: null,
  X10: 9,
  VT200: 1000,
  DRAG: 1002,
  ANY: 1003,
};

/** Switches on and off what is not as a terminal has it by itself. */
function switches({ modes }: TerminalState): string {
  const mouse = mouseNumbers[modes.mouse];
  const on: (number | false | null)[] = [
    modes.applicationCursor && 1,
    modes.reverseWrap && 45,
    mouse,
    modes.focusEvents && 1004,
    modes.mouseEncoding === 'SGR' && 1006,
    modes.mouseEncoding === 'SGR_PIXELS' && 1016,
    modes.bracketedPaste && 2004,
  ];
  const off: (number | false)[] = [!modes.wrap && 7, modes.cursorHidden && 25];
  return [
    ...on.map((mode) => (typeof mode === 'number' ? `\x1b[?${mode}h` : '')),
    ...off.map((mode) => (typeof mode === 'number' ? `\x1b[?${mode}l` : '')),
    modes.insert ? '\x1b[4h' : '',
    modes.lineFeedReturns ? '\x1b[20h' : '',
    modes.applicationKeypad ? '\x1b=' : '',
    modes.cursorStyle === null
      ? ''
      : `\x1b[${cursorNumbers[modes.cursorStyle] - (modes.cursorBlinks === true ? 1 : 0)} q`,
    modes.cursorHidden ? '' : '\x1b[?25h',
  ].join('');
}

import { cellNumbers, isCombined, type LineState, type Pen } from './state.ts';

/** A colour: one of the 256 of the palette, `#rrggbb`, or null, the terminal's own. */
export type Color = number | string | null;

/** How text looks. What is not there is false, or the terminal's own colour. */
export interface Look {
  readonly fg?: Color;
  readonly bg?: Color;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly blink?: true;
  readonly inverse?: true;
  readonly invisible?: true;
  readonly strikethrough?: true;
  readonly overline?: true;
}

/** A part of a row that looks the same. */
export interface Run extends Look {
  readonly text: string;
  /** Cells that it takes. */
  readonly width: number;
}

// The first number of a cell.
const codeMask = 0x1fffff;
const widthShift = 22;

// The second and the third: a colour, what kind of colour, and flags.
const colorMask = 0xffffff;
const colorKinds = 0x3000000;
const paletteOf16 = 0x1000000;
const paletteOf256 = 0x2000000;

const fgFlags = {
  inverse: 0x4000000,
  bold: 0x8000000,
  underline: 0x10000000,
  blink: 0x20000000,
  invisible: 0x40000000,
  strikethrough: 0x80000000,
} as const;
const bgFlags = { italic: 0x4000000, dim: 0x8000000, overline: 0x40000000 } as const;

/** One cell. */
interface Cell {
  /** What stands in it; empty in the second half of a wide character. */
  readonly text: string;
  readonly width: number;
  readonly fg: number;
  readonly bg: number;
}

/** The cells of a row from the left. */
function* cellsOf({ cells, combined }: LineState): Generator<Cell> {
  let before = 0;
  for (let at = 0; at < cells.length; at += cellNumbers) {
    const [content = 0, fg = 0, bg = 0] = cells.subarray(at, at + cellNumbers);
    // The second half of a wide character that was shifted away from the first is a blank.
    const width = content >> widthShift === 0 && before !== 2 ? 1 : content >> widthShift;
    before = width;
    const code = content & codeMask;
    const text =
      content & isCombined
        ? (combined[at / cellNumbers] ?? ' ')
        : code === 0
          ? ' '.repeat(width)
          : String.fromCodePoint(code);
    yield { text, width, fg, bg };
  }
}

/** The text of a row, without the blanks at its end, but as far as column `least`. */
export function textOf(line: LineState, least = 0): string {
  let text = '';
  let column = 0;
  let end = 0;
  for (const cell of cellsOf(line)) {
    text += cell.text;
    column += 1;
    if (cell.text.trim() !== '' || column <= least) end = text.length;
  }
  return text.slice(0, end);
}

/** The text of a row as far as something was written in it, be it blanks. */
export function writtenText(line: LineState): string {
  let end = line.cells.length;
  while (end > 0 && ((line.cells[end - cellNumbers] ?? 0) & (codeMask | isCombined)) === 0)
    end -= cellNumbers;
  const cells = line.cells.subarray(0, end);
  return Array.from(cellsOf({ ...line, cells }), ({ text }) => text).join('');
}

/** A row in parts that look the same, without what the terminal's own background shows at its end. */
export function runsOf(line: LineState): Run[] {
  const runs: { text: string; width: number; fg: number; bg: number }[] = [];
  for (const { text, width, fg, bg } of cellsOf(line)) {
    const last = runs.at(-1);
    if (last !== undefined && last.fg === fg && last.bg === bg) {
      last.text += text;
      last.width += width;
    } else runs.push({ text, width, fg, bg });
  }
  const shown = runs.map(({ text, width, ...pen }) => ({ text, width, ...lookOf(pen) }));
  for (let last = shown.at(-1); last !== undefined && showsNoBlanks(last); last = shown.at(-1)) {
    shown.pop();
    const text = last.text.trimEnd();
    if (text === '') continue;
    shown.push({ ...last, text, width: last.width - (last.text.length - text.length) });
    break;
  }
  return shown;
}

/** What stands at the end of a row: a blank where nothing was written. */
export function lastCharacter(line: LineState): Run {
  let last: Cell = { text: ' ', width: 1, fg: 0, bg: 0 };
  for (const cell of cellsOf(line)) if (cell.width > 0) last = cell;
  const { text, width, fg, bg } = last;
  return { text, width, ...lookOf({ fg, bg }) };
}

/** Whether blanks that look so cannot be seen. */
function showsNoBlanks({ bg, inverse, underline, strikethrough, overline }: Look): boolean {
  return [bg, inverse, underline, strikethrough, overline].every((part) => part === undefined);
}

/** What the numbers of a cell say of its look. */
export function lookOf({ fg, bg }: Omit<Pen, 'extended'>): Look {
  return {
    ...colored('fg', fg),
    ...colored('bg', bg),
    ...flagged(fg, fgFlags),
    ...flagged(bg, bgFlags),
  };
}

function colored(name: 'fg' | 'bg', value: number): Look {
  const kind = value & colorKinds;
  if (kind === 0) return {};
  if (kind === paletteOf16 || kind === paletteOf256) return { [name]: value & 0xff };
  return { [name]: `#${(value & colorMask).toString(16).padStart(6, '0')}` };
}

function flagged(value: number, flags: Readonly<Record<string, number>>): Look {
  return Object.fromEntries(
    Object.entries(flags)
      .filter(([, flag]) => (value & flag) !== 0)
      .map(([name]) => [name, true]),
  );
}

/** The escape sequence after which text looks so. */
export function sgrOf(look: Look): string {
  const codes = [
    0,
    ...Object.entries(sgrCodes).flatMap(([name, code]) => (look[name as keyof Look] === true ? [code] : [])),
    ...colorCodes(look.fg, 30, 90, 38),
    ...colorCodes(look.bg, 40, 100, 48),
  ];
  return `\x1b[${codes.join(';')}m`;
}

const sgrCodes = {
  bold: 1,
  dim: 2,
  italic: 3,
  underline: 4,
  blink: 5,
  inverse: 7,
  invisible: 8,
  strikethrough: 9,
  overline: 53,
};

function colorCodes(color: Color | undefined, first: number, bright: number, extended: number): number[] {
  if (color === undefined || color === null) return [];
  if (typeof color === 'number') {
    if (color < 8) return [first + color];
    return color < 16 ? [bright + color - 8] : [extended, 5, color];
  }
  const value = Number.parseInt(color.slice(1), 16);
  return [extended, 2, value >> 16, (value >> 8) & 0xff, value & 0xff];
}

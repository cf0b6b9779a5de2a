import { cellWidth } from '../../model/cell-width.ts';

/** Makes a narrow character before it a picture, which most terminals draw in two cells. */
const asPicture = '\ufe0f';

// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins a colour
const colour = /(\x1b\[[\d;:]*m)/;

/** Cells that a text takes on a terminal, rather too many than too few. Colours take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const [index, part] of text.split(colour).entries())
    if (index % 2 === 0) for (const character of part) width += cellsOf(character);
  return width;
}

/**
 * A text in at most this many cells. It cuts what does not fit, and adds an ellipsis. It keeps colour codes, so that
 * colours end.
 */
export function fitted(text: string, cells: number): string {
  if (textWidth(text) <= cells) return text;
  let shown = '';
  let room = cells - 1;
  let isCut = room < 0;
  for (const [index, part] of text.split(colour).entries()) {
    if (index % 2 === 1) shown += part;
    else if (!isCut) {
      const kept = beginning(part, room);
      isCut = kept.length < part.length;
      room -= textWidth(kept);
      shown += isCut ? `${kept}…` : kept;
    }
  }
  return shown;
}

/** The end of a text without colours in at most this many cells, after an ellipsis if it cut something. */
export function fittedEnd(text: string, cells: number): string {
  if (textWidth(text) <= cells) return text;
  const reversed = [...text].reverse().join('');
  return `…${[...beginning(reversed, cells - 1)].reverse().join('')}`;
}

/** Where the rows of a text without colours begin, if each row has this many cells; at least one. */
export function rowStarts(text: string, cells: number): number[] {
  const starts = [0];
  let room = cells;
  let at = 0;
  for (const character of text) {
    const width = cellsOf(character);
    // A row has at least one character, however narrow it is.
    if (width > room && at > (starts.at(-1) ?? 0)) {
      starts.push(at);
      room = cells;
    }
    room -= width;
    at += character.length;
  }
  return starts;
}

function beginning(text: string, cells: number): string {
  let end = 0;
  let room = cells;
  for (const character of text) {
    room -= cellsOf(character);
    if (room < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** A text and blanks, this many cells together. */
export function padded(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - textWidth(text)));
}

function cellsOf(character: string): number {
  return character === asPicture ? 1 : cellWidth(character);
}

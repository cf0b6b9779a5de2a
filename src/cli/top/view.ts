import type { TaskSnapshot } from '../../model/snapshot.ts';
import { invisible, visible } from '../../util/visible.ts';
import type { Size } from './painter.ts';

/** What fills the screen, but for its last row. */
export interface View {
  /** What the last row says while nothing else does. */
  readonly hint: string;
  /** The rows from the top. */
  draw(size: Size): string[];
  /** @returns whether the key means something here. */
  press(key: string): boolean;
}

/** More marks on one character are left out: they take no cell, and a row may have any number of them. */
const manyMarks = /(\p{M}{4})\p{M}+/gu;

/** More characters of one field are left out before anything else is done with it. */
const mostCharacters = 1_000;

/** A name or a command on one row, with everything invisible made visible. */
export function shownField(text: string): string {
  return visible(text.slice(0, mostCharacters)).replace(manyMarks, '$1');
}

/** A line of plain text as cells: tabs are blanks, and nothing is in it that a terminal acts on. */
export function shownLine(plain: string): string {
  const line = plain.includes('\t') ? withoutTabs(plain) : plain;
  return line.replace(invisible, '').replace(manyMarks, '$1');
}

function withoutTabs(line: string): string {
  let shown = '';
  for (const [index, part] of line.split('\t').entries())
    shown += index === 0 ? part : `${' '.repeat(8 - (shown.length % 8))}${part}`;
  return shown;
}

/** How a task is called in a sentence. */
export function titleOf({ taskId, name }: TaskSnapshot): string {
  return name === null ? taskId : `${taskId} (${shownField(name)})`;
}

/** Upside down, as wide as the screen. */
export function inverse(text: string): string {
  return `\x1b[7m${text}\x1b[27m`;
}

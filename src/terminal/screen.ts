import { plainLine } from '../model/plain-line.ts';
import { type Run, runsOf, textOf } from './cells.ts';
import type { Emulator } from './emulator.ts';

/** What a person would see of a terminal. All text on it is what a command printed: data. */
export interface Screen {
  readonly cols: number;
  readonly rows: number;
  /** A line for each row, from the top, without the blanks at its end. */
  readonly lines: readonly string[];
  /** From 0, and always on the screen. */
  readonly cursor: { readonly x: number; readonly y: number; readonly visible: boolean };
  /** Whether it is the alternate screen, as full-screen programs use it. */
  readonly alternate: boolean;
  /** As the command has set it, without control characters; of a long one 256 characters. */
  readonly title: string;
  /** Whether the task has ended, so that nothing changes any more. */
  readonly ended: boolean;
  /** How the rows look, where that was asked for: the parts of each row, from the left. */
  readonly cells?: readonly (readonly Run[])[];
}

/** What of a screen is wanted. */
export interface ScreenOptions {
  /** Whether {@link Screen.cells} is wanted. @default false */
  readonly cells?: boolean;
  /** Whether the task has ended. @default false */
  readonly ended?: boolean;
}

const longestTitle = 256;

/** What shows now. */
export function screenOf(emulator: Emulator, { cells = false, ended = false }: ScreenOptions = {}): Screen {
  const { lines, cursor, modes, size } = emulator;
  return {
    ...size,
    lines: lines.map((line) => textOf(line)),
    cursor: { x: Math.min(cursor.x, size.cols - 1), y: cursor.y, visible: !modes.cursorHidden },
    alternate: emulator.showsAlternate,
    title: titleOf(emulator.title),
    ended,
    ...(cells ? { cells: lines.map(runsOf) } : {}),
  };
}

/** A title as it may be shown: it is what a command printed. */
export function titleOf(title: string): string {
  const plain = plainLine(title.slice(0, longestTitle * 4)).replaceAll('\t', ' ');
  return [...plain].slice(0, longestTitle).join('');
}

import { cellWidth } from '../model/cell-width.ts';
import { type Run, sgrOf } from './cells.ts';
import type { Screen } from './screen.ts';
import type { TerminalSize } from './state.ts';

/**
 * What to write to a person's terminal of another size, so that it shows as much of a screen as there is room for: its left
 * upper part, with the cursor where it is in that.
 * @param screen with its cells.
 */
export function clip(screen: Screen, { cols, rows }: TerminalSize): string {
  const shown = (screen.cells ?? []).slice(0, rows);
  const lines = shown.map((runs, row) => `${place(0, row)}${clipRow(runs, cols)}\x1b[m\x1b[K`);
  const { x, y, visible } = screen.cursor;
  const isInside = visible && x < cols && y < rows;
  const cursor = isInside ? `${place(x, y)}\x1b[?25h` : '';
  // Without wrapping, so that nothing scrolls; and at once, where the terminal can do that.
  return `\x1b[?2026h\x1b[?25l\x1b[?7l${lines.join('')}\x1b[m\x1b[${shown.length + 1};1H${shown.length < rows ? '\x1b[J' : ''}\x1b[?7h${cursor}\x1b[?2026l`;
}

function clipRow(runs: readonly Run[], cols: number): string {
  let left = cols;
  let text = '';
  for (const run of runs) {
    if (left <= 0) break;
    const part = run.width <= left ? run.text : beginning(run.text, left);
    left -= run.width;
    text += `${sgrOf(run)}${part}`;
  }
  return text;
}

/** As many characters as fit. */
function beginning(text: string, cols: number): string {
  let width = 0;
  let part = '';
  for (const character of text) {
    width += cellWidth(character);
    if (width > cols) break;
    part += character;
  }
  return part;
}

function place(x: number, y: number): string {
  return `\x1b[${y + 1};${x + 1}H`;
}

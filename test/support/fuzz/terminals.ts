import assert from 'node:assert/strict';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { Screen } from '../../../src/model/screen.ts';
import { TerminalText } from '../../../src/model/terminal-text.ts';
import type { Properties } from './properties.ts';

/** What an emulator of a terminal shows of a text, and what has scrolled off its top. */
export async function emulated(text: string, rows = 24, cols = 80): Promise<string> {
  const terminal = new xterm.Terminal({
    rows,
    cols,
    // As the kernel's terminal does it.
    convertEol: true,
    scrollback: 100_000,
    scrollOnEraseInDisplay: true,
    allowProposedApi: true,
  });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const shown = linesOf(terminal.buffer.normal);
  terminal.dispose();
  return shown;
}

type TerminalBuffer = InstanceType<typeof xterm.Terminal>['buffer']['normal'];

function linesOf(buffer: TerminalBuffer): string {
  let text = '';
  for (let at = 0; at < buffer.length; at += 1) {
    const line = buffer.getLine(at);
    text += `${at === 0 || line?.isWrapped ? '' : '\n'}${line?.translateToString(true) ?? ''}`;
  }
  return text;
}

/** Without what does not show: blanks at the ends of lines, and lines without anything at the end. Tabs are blanks. */
export function shownOf(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      let shown = '';
      for (const character of line)
        shown += character === '\t' ? ' '.repeat(8 - (columnsOf(shown) % 8)) : character;
      return shown.trimEnd();
    })
    .join('\n')
    .trimEnd();
}

/** Of the characters that these tests use. */
function columnsOf(text: string): number {
  return [...text].reduce(
    (sum, character) => sum + (character >= '\u1100' ? 2 : character === '\u0301' ? 0 : 1),
    0,
  );
}

const count = fc.oneof(fc.constant(''), fc.nat({ max: 30 }).map(String));
const movement = fc
  .tuple(count, fc.constantFrom(...'ABCDEFGLMPX@`ade'))
  .map(([parameter, what]) => `\x1b[${parameter}${what}`);
// Not `1J`: in the last cell of the screen the emulator fails with a TypeError.
const erasure = fc.constantFrom('\x1b[K', '\x1b[1K', '\x1b[2K', '\x1b[J', '\x1b[2J');
const place = fc
  .tuple(fc.nat({ max: 30 }), fc.nat({ max: 30 }), fc.constantFrom('H', 'f'))
  .map(([row, column, what]) => `\x1b[${row};${column}${what}`);
const rest = fc.constantFrom(
  '\x1b7',
  '\x1b8',
  '\x1b[s',
  '\x1b[u',
  '\x1bD',
  '\x1bE',
  '\x1bM',
  '\x1b[?1049h',
  '\x1b[?1049l',
  '\x1b[?25l',
  '\x1b[1;32m',
  '\x1b[m',
  '\x1b]0;a title\x07',
  '\x1b]8;;http://x\x1b\\',
  '\x07',
  '\0',
);
const words = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abc 123%#.'), maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '한', '字', 'e\u0301'), maxLength: 5 }),
);
const control = fc.constantFrom('\r', '\n', '\r\n', '\b', '\b\b\b', '\t', '\v', '\f');

/** What programs write that draw over what they wrote: bars, spinners, lists of bars, full screens. */
const drawn = fc
  .array(
    fc.oneof(
      { arbitrary: words, weight: 6 },
      { arbitrary: control, weight: 6 },
      { arbitrary: movement, weight: 3 },
      { arbitrary: erasure, weight: 2 },
      { arbitrary: place, weight: 1 },
      { arbitrary: rest, weight: 1 },
    ),
    { maxLength: 40 },
  )
  // A full-screen program ends.
  .map((parts) => `${parts.join('')}\x1b[?1049l`);

/** What is only written, so that it meets the edge of a narrow screen. */
const written = fc
  .array(fc.oneof(words, fc.constantFrom('\r', '\n', '\b', '\b\b\b')), { maxLength: 40 })
  .map((parts) => parts.join(''));

function plainOn(rows: number, cols: number, pieces: readonly string[]): string {
  const terminal = new TerminalText(new Screen(rows, cols));
  return pieces.map((piece) => terminal.write(piece)).join('') + terminal.end();
}

async function assertShown(text: string, rows: number, cols: number): Promise<void> {
  assert.equal(shownOf(plainOn(rows, cols, [text])), shownOf(await emulated(text, rows, cols)));
}

/** Properties of plain text, of which a terminal knows the truth. */
export const terminalProperties: Properties = {
  'plain text is what a terminal shows': fc.asyncProperty(
    drawn,
    fc.integer({ min: 2, max: 30 }),
    async (text, rows) => await assertShown(text, rows, 500),
  ),
  'plain text of lines that are too long for the screen is what a terminal shows': fc.asyncProperty(
    written,
    fc.integer({ min: 2, max: 12 }),
    fc.integer({ min: 2, max: 40 }),
    assertShown,
  ),
  'plain text of pieces is that of the whole': fc.property(
    drawn,
    fc.array(fc.nat({ max: 200 }), { maxLength: 6 }),
    (text, cuts) => {
      const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort((a, b) => a - b);
      const pieces = at.slice(1).map((end, index) => text.slice(at[index], end));
      assert.equal(plainOn(6, 40, pieces), plainOn(6, 40, [text]));
    },
  ),
};

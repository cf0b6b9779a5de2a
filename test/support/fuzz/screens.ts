import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Run } from '../../../src/terminal/cells.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/terminal/checkpoint.ts';
import { LiveScreen, type Moment } from '../../../src/terminal/live-screen.ts';
import type { TerminalSize } from '../../../src/terminal/state.ts';
import { TerminalFilter } from '../../../src/terminal/terminal-filter.ts';
import type { Properties } from './properties.ts';

const number = fc.oneof(
  { arbitrary: fc.nat({ max: 30 }), weight: 8 },
  {
    arbitrary: fc.constantFrom(38, 48, 58, 90, 100, 107, 255, 1000, 2 ** 31 - 1, 2 ** 32, 99_999_999_999),
    weight: 1,
  },
);
const parameters = fc
  .array(fc.oneof(fc.constant(''), number.map(String)), { maxLength: 4 })
  .map((values) => values.join(';'));
const sequence = fc
  .tuple(
    fc.constantFrom('', '', '', '?', '>', '='),
    parameters,
    fc.constantFrom('', '', '', '', ' ', '!', '"', '$', "'"),
    fc.constantFrom(...'@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstux{|}~'),
  )
  .map((parts) => `\x1b[${parts.join('')}`);
const usual = fc
  .tuple(parameters, fc.constantFrom(...'ABCDGHJKLMPSTX@bdmrf'))
  .map(([values, final]) => `\x1b[${values}${final}`);
const mode = fc
  .tuple(
    fc.constantFrom(
      1,
      3,
      5,
      6,
      7,
      9,
      12,
      25,
      45,
      47,
      66,
      1000,
      1002,
      1003,
      1004,
      1006,
      1016,
      1047,
      1048,
      1049,
      2004,
      2026,
    ),
    fc.constantFrom('h', 'l'),
  )
  .map(([what, on]) => `\x1b[?${what}${on}`);
const look = fc.constantFrom(
  '\x1b[m',
  '\x1b[1;31m',
  '\x1b[7m',
  '\x1b[4:3m',
  '\x1b[58;5;9;4m',
  '\x1b[38;5;200;48;2;1;2;3m',
  '\x1b[2;3;5;8;9;53m',
  '\x1b[44m',
  '\x1b[97;107m',
);
const shortSequence = fc.constantFrom(
  ...'78DEHMcno|}~=>NOZ\\'.split('').map((final) => `\x1b${final}`),
  '\x1b#8',
  '\x1b(0',
  '\x1b(B',
  '\x1b)0',
  '\x1b*A',
  '\x1b+K',
  '\x1b%G',
  '\x0e',
  '\x0f',
);
const command = fc.constantFrom(
  '\x1b]0;a title\x07',
  '\x1b]2;한 title\x1b\\',
  '\x1b]1;icon\x07',
  '\x1b]8;id=1;http://x\x1b\\',
  '\x1b]8;;\x1b\\',
  '\x1b]4;1;?\x07',
  '\x1b]52;c;aGk=\x07',
  '\x1bP$qm\x1b\\',
  '\x1bP1;2|garbage\x1b\\',
  '\x1b_an APC\x1b\\',
  '\x1b^a PM\x1b\\',
  '\u009b31m',
  '\u009d2;C1\u009c',
);
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abcqx 12#'), maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('a', 'é', '한', '字', 'e\u0301', '🚀', '\u200d', '─', '❤\ufe0f'),
    maxLength: 8,
  }),
);
const control = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '\r\n',
  '\b',
  '\b\b\b',
  '\t',
  '\v',
  '\x05',
  '\x07',
  '\0',
  '\x18',
  '\x7f',
);

/** What programs write to terminals, and what nobody should. */
export const terminalBytes: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      { arbitrary: text.map((part) => Buffer.from(part)), weight: 10 },
      { arbitrary: control.map((part) => Buffer.from(part)), weight: 8 },
      { arbitrary: usual.map((part) => Buffer.from(part)), weight: 10 },
      { arbitrary: sequence.map((part) => Buffer.from(part)), weight: 4 },
      { arbitrary: mode.map((part) => Buffer.from(part)), weight: 4 },
      { arbitrary: look.map((part) => Buffer.from(part)), weight: 5 },
      { arbitrary: shortSequence.map((part) => Buffer.from(part)), weight: 4 },
      { arbitrary: command.map((part) => Buffer.from(part)), weight: 2 },
      { arbitrary: fc.uint8Array({ maxLength: 6 }).map((part) => Buffer.from(part)), weight: 1 },
    ),
    { maxLength: 80 },
  )
  .map((parts) => Buffer.concat(parts));

/** Sizes from the smallest on. */
export const terminalSize: fc.Arbitrary<TerminalSize> = fc.record({
  cols: fc.integer({ min: 2, max: 40 }),
  rows: fc.integer({ min: 1, max: 12 }),
});

/** Sizes that a terminal gets on its way, by a share of its output. */
const changes = fc.array(fc.tuple(terminalSize, fc.nat({ max: 100 })), { maxLength: 4 });

interface Change extends TerminalSize {
  readonly offset: number;
}

function placed(found: readonly [TerminalSize, number][], bytes: Buffer): Change[] {
  return found
    .map(([size, share]) => ({ ...size, offset: Math.floor((bytes.length * share) / 100) }))
    .sort((a, b) => a.offset - b.offset);
}

/** Everything that can be told of a screen. */
export function told(live: LiveScreen): object {
  return { ...live.screen({ cells: true }), moment: live.moment(), lines: live.lines() };
}

/** What can be seen of a row: how a blank would look that shows no background cannot. */
function inkOf(runs: readonly Run[]): string {
  return runs
    .flatMap(({ text, width: _, ...look }) => {
      const { bg, inverse, underline, strikethrough, overline } = look;
      const shows = [bg, inverse, underline, strikethrough, overline].some((part) => part !== undefined);
      return [...text].map((character) =>
        character === ' ' && !shows ? ' ' : character + JSON.stringify(look),
      );
    })
    .join('')
    .trimEnd();
}

/** A moment as it comes back from a file. */
export function kept(moment: Moment): Moment {
  const file = encodeCheckpoint({ owner: 'bgb-0123abcd0123', moment });
  assert.ok(file);
  const checkpoint = decodeCheckpoint(file);
  assert.ok(checkpoint, 'what was written can be read');
  return checkpoint.moment;
}

async function fed(
  from: TerminalSize | Moment,
  bytes: Buffer,
  resizes: readonly Change[],
): Promise<LiveScreen> {
  const live = await LiveScreen.open({ from });
  for (const resize of resizes) live.resize(resize);
  live.feed(bytes.subarray(live.offset));
  return live;
}

/** What can be told of a screen that is drawn anew: it is shown at once. */
function seen(screen: LiveScreen): object {
  const modes = screen.moment()?.state.modes;
  const cursorBlinks = modes?.cursorStyle === null ? null : modes?.cursorBlinks;
  return {
    ...screen.screen(),
    ink: (screen.screen({ cells: true }).cells ?? []).map(inkOf),
    modes: { ...modes, synchronized: false, cursorBlinks },
  };
}

/** Properties of screens. */
export const screenProperties: Properties = {
  'a screen that goes on from a moment is the one that has seen it all': fc.asyncProperty(
    terminalSize,
    terminalBytes,
    changes,
    fc.nat({ max: 100 }),
    async (size, bytes, found, share) => {
      const resizes = placed(found, bytes);
      using whole = await fed(size, bytes, resizes);
      using first = await LiveScreen.open({ from: size });
      for (const resize of resizes) first.resize(resize);
      const cut = Math.floor((bytes.length * share) / 100);
      first.feed(bytes.subarray(0, cut));
      // The next place where a cut is allowed.
      while (first.moment() === null && first.offset < bytes.length)
        first.feed(bytes.subarray(first.offset, first.offset + 1));
      const moment = first.moment();
      if (moment === null) return;
      using second = await fed(
        kept(moment),
        bytes,
        resizes.filter(({ offset }) => offset > moment.offset),
      );
      assert.deepEqual(told(second), told(whole));
    },
  ),
  'how output is cut into pieces changes nothing': fc.asyncProperty(
    terminalSize,
    terminalBytes,
    changes,
    fc.array(fc.nat({ max: 400 }), { maxLength: 6 }),
    async (size, bytes, found, cuts) => {
      const resizes = placed(found, bytes);
      using whole = await fed(size, bytes, resizes);
      using live = await LiveScreen.open({ from: size });
      for (const resize of resizes) live.resize(resize);
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      for (const [index, end] of at.slice(1).entries()) live.feed(bytes.subarray(at[index], end));
      assert.deepEqual(told(live), told(whole));
    },
  ),
  'a screen has rows of its width, without control characters, and the cursor is on it': fc.asyncProperty(
    terminalSize,
    terminalBytes,
    changes,
    async (size, bytes, found) => {
      const resizes = placed(found, bytes);
      using live = await fed(size, bytes, resizes);
      const { cols, rows, lines, cursor, title, cells = [] } = live.screen({ cells: true });
      assert.deepEqual(
        { cols, rows },
        { cols: (resizes.at(-1) ?? size).cols, rows: (resizes.at(-1) ?? size).rows },
      );
      assert.equal(lines.length, rows);
      assert.equal(cells.length, rows);
      assert.ok(cursor.x >= 0 && cursor.x < cols && cursor.y >= 0 && cursor.y < rows);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(`${lines.join('')}${title}`, /[\x00-\x1f\x7f-\x9f]/);
      for (const runs of cells) assert.ok(runs.reduce((sum, { width }) => sum + width, 0) <= cols);
    },
  ),
  'a terminal that is drawn anew shows the same, and goes on like it': fc.asyncProperty(
    terminalSize,
    terminalBytes,
    async (size, bytes) => {
      using live = await fed(size, bytes, []);
      if (live.moment() === null) return;
      using anew = await LiveScreen.open({ from: size });
      // As attach does it.
      anew.feed(new TerminalFilter().pass(live.redraw()));
      assert.deepEqual(seen(anew), seen(live));
      for (const screen of [live, anew]) screen.feed(Buffer.from('x\r\ny\tz한\x1b[2Aw'));
      assert.deepEqual(seen(anew), seen(live));
    },
  ),
  'a terminal that is drawn anew within an escape sequence or a character gets the rest of it':
    fc.asyncProperty(terminalSize, terminalBytes, fc.nat({ max: 100 }), async (size, bytes, share) => {
      // Which character is to be repeated is not known any more.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      const drawn = Buffer.from(bytes.toString('latin1').replace(/\x1b\[[^@-~]*b/g, ''), 'latin1');
      const cut = Math.floor((drawn.length * share) / 100);
      using live = await fed(size, drawn.subarray(0, cut), []);
      using anew = await LiveScreen.open({ from: size });
      const filter = new TerminalFilter();
      anew.feed(filter.pass(live.redraw()));
      while (live.moment() === null && live.offset < drawn.length) {
        const next = drawn.subarray(live.offset, live.offset + 1);
        live.feed(next);
        anew.feed(filter.pass(next));
      }
      if (live.moment() !== null) assert.deepEqual(seen(anew), seen(live));
    }),
};

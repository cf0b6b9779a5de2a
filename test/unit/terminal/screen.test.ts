import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveScreen } from '../../../src/terminal/live-screen.ts';
import { openScreen, type TerminalOutput } from '../../../src/terminal/open-screen.ts';
import type { Screen } from '../../../src/terminal/screen.ts';
import { rendered } from '../../support/screens.ts';

const size = { cols: 20, rows: 4 };

async function shown(text: string, options = {}): Promise<Screen> {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from(text));
  return live.screen(options);
}

/** Output that is at hand, in pieces of a few bytes. */
function outputOf(text: string, more: Partial<TerminalOutput> = {}): TerminalOutput {
  const bytes = Buffer.from(text);
  return {
    size,
    resizes: [],
    firstByte: 0,
    end: bytes.length,
    async *read(from, to) {
      for (let at = from; at < to; at += 7) yield bytes.subarray(at, Math.min(to, at + 7));
    },
    ...more,
  };
}

test('a screen is what a person would see: lines without their colours, the cursor, the title', async () => {
  const text = '\x1b]2;my title\x07\x1b[31mred\x1b[0m  \r\n한국 x\x1b[3;5H\x1b[?25l';
  assert.deepEqual(await shown(text), {
    cols: 20,
    rows: 4,
    lines: ['red', '한국 x', '', ''],
    cursor: { x: 4, y: 2, visible: false },
    alternate: false,
    title: 'my title',
    ended: false,
  });
});

test('a full-screen program is recognized, and the earlier screen comes back', async () => {
  const begun = await shown('before\x1b[?1049h\x1b[Hinside');
  assert.deepEqual([begun.alternate, begun.lines[0]], [true, 'inside']);
  const over = await shown('before\x1b[?1049h\x1b[Hinside\x1b[?1049l');
  assert.deepEqual([over.alternate, over.lines[0], over.cursor.x], [false, 'before', 6]);
});

test('the cursor stays on the screen when a row is full', async () => {
  const { cursor, lines } = await shown('x'.repeat(20));
  assert.deepEqual([cursor.x, cursor.y, lines[0]], [19, 0, 'x'.repeat(20)]);
});

test('cells contain the attributes of text, and of blanks where they are visible', async () => {
  const { cells } = await shown(
    '\x1b[1;3;38;5;200mab\x1b[0m \x1b[48;2;1;2;3m  \x1b[0m  \r\n\x1b[2;4;7;9;92;101m한\x1b[m',
    {
      cells: true,
    },
  );
  assert.deepEqual(cells?.slice(0, 3), [
    [
      { text: 'ab', width: 2, fg: 200, bold: true, italic: true },
      { text: ' ', width: 1 },
      { text: '  ', width: 2, bg: '#010203' },
    ],
    [{ text: '한', width: 2, fg: 10, bg: 9, dim: true, underline: true, inverse: true, strikethrough: true }],
    [],
  ]);
});

test('a title is short, and has no control characters', async () => {
  const { title } = await shown(`\x1b]0;a\tb${'한'.repeat(600)}\x07`);
  assert.equal(title, `ab${'한'.repeat(254)}`);
});

test('emoji take two cells, and characters without width take none', async () => {
  const { lines, cursor } = await shown('\ufeff🚀a\r\ne\x1b[1m\u0301b');
  assert.deepEqual([lines[0], lines[1], cursor.x], ['🚀a', 'e\u0301b', 2]);
});

test('the number of combining marks on a character is limited, however many come', async () => {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from('e'));
  for (let left = 100; left > 0; left -= 1) live.feed(Buffer.from('\u0301'.repeat(10)));
  live.feed(Buffer.from(`f${'\u0302'.repeat(1_000)}g`));
  assert.equal(live.screen().lines[0], `e${'\u0301'.repeat(32)}f${'\u0302'.repeat(32)}g`);
});

test('the terminal changes size at the recorded offsets of the output', async () => {
  const text = '\x1b[20Ga\r\nnarrow: \x1b[20Gb\r\n';
  const { screen } = await rendered(outputOf(text, { resizes: [{ offset: 7, cols: 10, rows: 3 }] }));
  assert.deepEqual([screen.cols, screen.rows, screen.lines[1]], [10, 3, 'narrow:  b']);
});

test('text that a narrow screen cut off does not come back when it becomes wide again', async () => {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from('\x1b[?1049h\x1b[H0123456789'));
  live.resize({ offset: live.offset, cols: 5, rows: 4 });
  assert.equal(live.screen().lines[0], '01234');
  live.resize({ offset: live.offset, cols: 20, rows: 4 });
  assert.equal(live.screen().lines[0], '01234');
});

test('if the beginning of the output is lost, the rest is rendered, and the screen says so', async () => {
  const text = `${'lost\r\n'.repeat(10)}kept\r\n`;
  const { screen, whole } = await rendered(outputOf(text, { firstByte: 60 }));
  assert.deepEqual([screen.lines[0], whole], ['kept', false]);
  const all = await rendered(outputOf(text));
  assert.deepEqual([all.screen.lines[2], all.whole], ['kept', true]);
});

test('a kept screen bridges lost output before its offset', async () => {
  const text = 'first\r\nsecond\r\nthird';
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from('first\r\n'));
  const moment = live.moment();
  const output = outputOf(text, { firstByte: 7 });
  const { screen, whole } = await rendered(output, { moment });
  assert.deepEqual([screen.lines.slice(0, 3), whole], [['first', 'second', 'third'], true]);
});

test('terminal queries of a program are answered while it waits, and not when the output is read later', async () => {
  const answers: string[] = [];
  const answer = (text: string): number => answers.push(text);
  const { live } = await openScreen(outputOf('\x1b[6n'), null, answer);
  using screen = live;
  assert.deepEqual(answers, []);
  screen.feed(Buffer.from('abc\x1b[6n\x1b[c\x1b[5n'), true);
  assert.deepEqual(answers, ['\x1b[1;4R', '\x1b[?1;2c', '\x1b[0n']);
  screen.feed(Buffer.from('\x1b[6n'));
  assert.equal(answers.length, 3);
});

test('a program that sends endless queries gets few answers', async () => {
  let answers = '';
  const answer = (text: string): void => {
    answers += text;
  };
  using live = await LiveScreen.open({ from: size, answer });
  live.feed(Buffer.from('\x1b[c'.repeat(5_000)), true);
  assert.ok(answers.length > 1_000 && answers.length <= 4_096, String(answers.length));
  answers = '';
  live.feed(Buffer.from('\x1b[5n'), true);
  assert.equal(answers, '\x1b[0n');
});

test('only a short part of a long title is kept', async () => {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from(`\x1b]0;${'x'.repeat(100_000)}\x07\x1b]1;${'y'.repeat(100_000)}\x07`));
  const moment = live.moment();
  assert.deepEqual([moment?.state.title.length, moment?.state.iconName.length], [4_096, 4_096]);
});

test('a few bytes cannot block the process for long', { timeout: 20_000 }, async () => {
  using live = await LiveScreen.open({ from: { cols: 200, rows: 60 } });
  const begin = performance.now();
  for (const final of 'LMSTIZb@PX')
    live.feed(Buffer.from(`x\x1b[2147483647${final}\x1b[99999999999${final}`));
  // It took minutes.
  assert.ok(performance.now() - begin < 5_000);
});

test('erasing up to the last cell of the screen works', async () => {
  const { lines } = await shown('a\r\nb\r\nc\r\nd\x1b[4;20H\x1b[1J');
  assert.deepEqual(lines, ['', '', '', '']);
});

test('the same output gives the same screen if a size is known before its bytes come', async () => {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from('0123456789\r\n'));
  live.resize({ offset: 20, cols: 6, rows: 4 });
  live.feed(Buffer.from('abcdefgh'));
  assert.equal(live.screen().cols, 6);
  assert.notEqual(live.moment(), null);
  live.resize({ offset: 5, cols: 8, rows: 4 });
  assert.equal(live.screen().cols, 8);
  // That came too late to be true.
  assert.equal(live.moment(), null);
});

test('no screen is kept in the middle of an escape sequence or a character', async () => {
  using live = await LiveScreen.open({ from: size });
  const whole = (bytes: Buffer): boolean => {
    live.feed(bytes);
    return live.moment() !== null;
  };
  assert.equal(whole(Buffer.from('a')), true);
  assert.equal(whole(Buffer.from('\x1b[3')), false);
  assert.equal(whole(Buffer.from('1m')), true);
  assert.equal(whole(Buffer.from([0xed, 0x95])), false);
  assert.equal(whole(Buffer.from([0x9c])), true);
  assert.equal(whole(Buffer.from('\x1b]0;title')), false);
  assert.equal(whole(Buffer.from('\x07')), true);
  assert.equal(live.screen().lines[0], 'a한');
});

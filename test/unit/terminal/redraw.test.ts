import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveScreen } from '../../../src/terminal/live-screen.ts';
import { TerminalFilter } from '../../../src/terminal/terminal-filter.ts';

const size = { cols: 20, rows: 4 };

async function redrawn(text: string): Promise<string> {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from(text));
  return live.redraw().toString();
}

/** What another terminal shows that is drawn anew, and then gets more. */
async function after(text: string, more: string): Promise<readonly string[]> {
  using live = await LiveScreen.open({ from: size });
  live.feed(Buffer.from(await redrawn(text)));
  live.feed(Buffer.from(more));
  return live.screen().lines;
}

test('earlier text on a terminal moves into its history', async () => {
  assert.ok((await redrawn('x')).includes('\x1b[4;1H\n\n\n\n\x1b[H\x1b[2J'));
});

test('text comes with its attributes, row by row', async () => {
  const drawn = await redrawn('plain\r\n\x1b[1;31mred\x1b[0m');
  assert.ok(drawn.includes('\x1b[1;1H\x1b[0mplain\x1b[m'));
  assert.ok(drawn.includes('\x1b[2;1H\x1b[0;1;31mred\x1b[m'));
});

test('only input modes are switched on', async () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const switched = (text: string): string[] => text.match(/\x1b\[\??\d+h|\x1b[=>]|\x1b\[\d q/g) ?? [];
  assert.deepEqual(switched(await redrawn('x')), ['\x1b[?2026h', '\x1b[?7h', '\x1b[?25h']);
  const drawn = await redrawn('\x1b[?1h\x1b=\x1b[?2004h\x1b[?1002;1006h\x1b[?1004h\x1b[3 q\x1b[4h');
  for (const mode of [
    '\x1b[?1h',
    '\x1b=',
    '\x1b[?2004h',
    '\x1b[?1002h',
    '\x1b[?1006h',
    '\x1b[?1004h',
    '\x1b[3 q',
    '\x1b[4h',
  ])
    assert.ok(switched(drawn).includes(mode), JSON.stringify(mode));
  assert.ok((await redrawn('\x1b[?25l')).includes('\x1b[?25l'));
});

test('keys are reported as the program has asked for, on the visible screen', async () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const keys = (text: string): string[] => text.match(/\x1b\[[<>=][\d;]*[um]/g) ?? [];
  assert.deepEqual(keys(await redrawn('\x1b[>1u\x1b[<u\x1b[>4;2m\x1b[>4m')), []);
  const asked = '\x1b[>3u\x1b[?1049h\x1b[=1u\x1b[>5u\x1b[=2;2u\x1b[>4;2m';
  assert.deepEqual(keys(await redrawn(asked)), ['\x1b[<16u', '\x1b[=1u', '\x1b[>7u', '\x1b[>4;2m']);
  assert.deepEqual(keys(await redrawn(`${asked}\x1b[?1049l`)), ['\x1b[<16u', '\x1b[>3u', '\x1b[>4;2m']);
  assert.deepEqual(keys(await redrawn(`${asked}\x1bc`)), []);
  // A program may put on more than any terminal keeps, and take off more than it has put on.
  assert.equal(keys(await redrawn('\x1b[>1u'.repeat(1000))).length, 16);
  assert.deepEqual(keys(await redrawn('\x1b[>1u\x1b[<99u\x1b[<0;1u')), []);
  // A terminal that is drawn anew is as the first, and so is a viewer’s that is drawn twice.
  using first = await LiveScreen.open({ from: size });
  using second = await LiveScreen.open({ from: size });
  first.feed(Buffer.from(asked));
  const filter = new TerminalFilter();
  for (let times = 0; times < 2; times += 1) second.feed(filter.pass(first.redraw()));
  assert.deepEqual(keys(second.redraw().toString()), ['\x1b[<16u', '\x1b[>1u', '\x1b[>7u', '\x1b[>4;2m']);
  second.feed(Buffer.from(filter.modesReset()));
  assert.deepEqual(keys(second.redraw().toString()), []);
});

test('text behind a full-screen program comes back when it ends', async () => {
  const lines = await after('before\x1b[?1049h\x1b[Hinside', '\x1b[?1049l!');
  assert.equal(lines[0], 'before!');
});

test('rows scroll within the region that a program has set', async () => {
  const lines = await after('\x1b[Htop\x1b[2;3r\x1b[3;1Hlow', '\r\nnew\r\nlast');
  assert.deepEqual(lines, ['top', 'new', 'last', '']);
});

test('a full row goes on in the next one', async () => {
  assert.deepEqual((await after('x'.repeat(20), 'y')).slice(0, 2), ['x'.repeat(20), 'y']);
});

test('a saved cursor, tab stops and line drawing are restored', async () => {
  assert.deepEqual((await after('\x1b[3;5H\x1b7\x1b[H', '\x1b8here'))[2], '    here');
  assert.equal((await after('\x1b[3g\x1b[5G\x1bH\r', '\tx'))[0], '    x');
  assert.equal((await after('\x1b(0', 'q'))[0], '─');
});

test('a title has no control characters', async () => {
  assert.ok((await redrawn('\x1b]2;a\tb\x07')).includes('\x1b]2;a'));
  assert.ok(!(await redrawn('\x1b]2;a\x07')).includes('\t'));
});

test('an incomplete sequence comes last, so that its rest is not text', async () => {
  assert.ok((await redrawn('x\x1b[3')).endsWith('\x1b[3'));
  assert.equal((await after('x\x1b[3', '1my'))[0], 'xy');
  assert.equal((await after('x\x1b]0;a title', ' goes on\x07y'))[0], 'xy');
  assert.equal((await after(`x\x1b]0;${'long '.repeat(2_000)}`, 'title\x1b\\y'))[0], 'xy');
});

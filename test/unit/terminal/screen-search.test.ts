import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from '../../../src/engine/watches/compile-pattern.ts';
import type { LineMatcher } from '../../../src/model/line-search.ts';
import { checkPattern, type Pattern } from '../../../src/model/pattern.ts';
import { LiveScreen } from '../../../src/terminal/live-screen.ts';
import { type ScreenMatch, ScreenSearch } from '../../../src/terminal/screen-search.ts';

async function searchFor(pattern: Pattern): Promise<ScreenSearch> {
  return new ScreenSearch(await compilePattern(checkPattern(pattern)));
}

async function found(text: string, pattern: Pattern, cols = 20): Promise<ScreenMatch | null> {
  using live = await LiveScreen.open({ from: { cols, rows: 4 } });
  live.feed(Buffer.from(text));
  return (await searchFor(pattern)).look(live.lines());
}

test('a pattern on the screen is found, with its row and its groups', async () => {
  const match = await found('one\r\n\x1b[31mtw\x1b[0mo 22', /two (\d+)/);
  assert.deepEqual(match, { row: 1, text: 'two 22', line: 'two 22', groups: ['22'] });
});

test('text that is no longer on the screen is not found', async () => {
  assert.equal(await found('password: \r\x1b[Kdone', 'password'), null);
  assert.equal(await found('a secret\x1b[?1049h\x1b[2J', 'secret'), null);
});

test('a wrapped line is joined, but two separate lines are not', async () => {
  const match = await found('0123456789abcdef', /9ab/, 10);
  assert.deepEqual([match?.row, match?.line], [0, '0123456789abcdef']);
  assert.equal(await found('0123456789\r\nabcdef', /9ab/, 10), null);
  // A wide character leaves a blank at the edge that nobody has written.
  assert.equal((await found('012345678한국', '8한국', 10))?.text, '8한국');
});

test('a prompt is found including the blank after it, up to the cursor', async () => {
  assert.equal((await found('x\r\nuser$ ', /\$ $/))?.row, 1);
  assert.equal(await found('user$ \r\n', /\$ $/), null);
});

test('an unchanged screen is searched once', async () => {
  let searches = 0;
  const matcher = await compilePattern(checkPattern('never there'));
  const counting: LineMatcher = {
    ...matcher,
    find(line, from) {
      searches += 1;
      return matcher.find(line, from);
    },
  };
  const search = new ScreenSearch(counting);
  using live = await LiveScreen.open({ from: { cols: 20, rows: 4 } });
  live.feed(Buffer.from('a\r\nb\r\nc'));
  for (let left = 3; left > 0; left -= 1) assert.equal(search.look(live.lines()), null);
  assert.equal(searches, 4);
  live.feed(Buffer.from('d'));
  search.look(live.lines());
  assert.equal(searches, 5);
});

test('an expensive pattern is searched in overlapping pieces', async () => {
  const line = `${'x'.repeat(2_000)}${'ab'.repeat(300)}c${'x'.repeat(2_000)}`;
  const matcher = await compilePattern(checkPattern('abc'));
  const search = new ScreenSearch({ ...matcher, pieceBytes: 64, overlap: 16 });
  assert.equal(search.look([{ row: 0, text: line }])?.text, 'abc');
  assert.equal(search.look([{ row: 0, text: line.replaceAll('c', 'd') }]), null);
});

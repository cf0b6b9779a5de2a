import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../src/engine/compile-pattern.ts';
import { LineSearch, type PatternMatch } from '../../src/model/line-search.ts';
import { checkPattern, type Pattern } from '../../src/model/pattern.ts';

/** The matches in an output that comes in these pieces, the line without an end included. */
async function search(pattern: Pattern, pieces: readonly Buffer[], from = 0): Promise<PatternMatch[]> {
  const lines = new LineSearch(await compilePattern(checkPattern(pattern)), from);
  let offset = from;
  const found = pieces.flatMap((piece) => {
    const matches = lines.take(piece, offset);
    offset += piece.length;
    return matches;
  });
  const last = lines.rest();
  return last === null ? found : [...found, last];
}

test('what is found does not depend on where the pieces of the output begin', async () => {
  const output = Buffer.from(
    'ready\nnot yet\r\n10 % ready\r20 % \x1b[31mre\x1b[0mady\r\n\r\nα ready €\n\x1b]0;ready\x07title\nlast ready',
  );
  for (const pattern of ['ready', /re?ady/, /^$/, /y$/]) {
    const whole = await search(pattern, [output]);
    assert.equal(whole.length, pattern instanceof RegExp && pattern.source === '^$' ? 1 : whole.length);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(output.length), { maxLength: 12 }), async (borders) => {
        const cuts = [0, ...borders.sort((a, b) => a - b), output.length];
        const pieces = cuts.slice(1).map((end, at) => output.subarray(cuts[at], end));
        assert.deepEqual(await search(pattern, pieces), whole);
      }),
      { numRuns: 60 },
    );
  }
});

test('a match says where it stands in the bytes that the command wrote, and the line as people see it', async () => {
  const output = Buffer.from('α\n€ \x1b[1mListening\x1b[0m on :\x1b[32m8080\x1b[0m!\n');
  const [match, ...others] = await search(/on :(\d+)(x)?/, [output]);
  assert.deepEqual(others, []);
  assert.ok(match);
  assert.equal(output.toString('utf8', match.offset, match.nextOffset), 'on :\x1b[32m8080');
  assert.deepEqual(
    { ...match, offset: 0, nextOffset: 0 },
    {
      offset: 0,
      nextOffset: 0,
      text: 'on :8080',
      groups: ['8080', null],
      line: '€ Listening on :8080!',
      lineOffset: 3,
    },
  );
});

test('a line gives one match, also when it grows after that', async () => {
  const pieces = ['password: ', 'pass', 'word\n', 'password\n'].map((text) => Buffer.from(text));
  const lines = new LineSearch(await compilePattern({ text: 'password' }), 0);
  const found: number[] = [];
  let offset = 0;
  for (const piece of pieces) {
    const matches = lines.take(piece, offset);
    offset += piece.length;
    const rest = lines.rest();
    found.push(...[...matches, ...(rest === null ? [] : [rest])].map((match) => match.lineOffset));
  }
  assert.deepEqual(found, [0, 19]);
});

test('each state of a line that is written over is searched, and a title of the window is not', async () => {
  const output = Buffer.from('1 %\r50 %\r100 %\r\n\x1b]0;50 % done\x07ok\n');
  assert.deepEqual(
    (await search('50 %', [output])).map(({ offset }) => offset),
    [4],
  );
});

test('a line of many megabytes is searched in pieces, and what stands at their border is found', async () => {
  const piece = Buffer.alloc(256 * 1024 - 2, 'x');
  const pieces = [...Array(40).fill(piece), Buffer.from('here'), ...Array(20).fill(piece)];
  const before = process.memoryUsage().rss;
  const [match] = await search('xhere', pieces);
  assert.equal(match?.offset, 40 * piece.length - 1);
  assert.equal(match?.line.length, 4096);
  assert.equal(match?.lineOffset, 0);
  assert.ok(process.memoryUsage().rss - before < 200 * 1024 ** 2);
});

test('behind a stretch that was cut out another line begins', async () => {
  const lines = new LineSearch(await compilePattern({ text: 'ab' }), 0);
  assert.deepEqual(lines.take(Buffer.from('x a'), 0), []);
  assert.deepEqual(lines.take(Buffer.from('b\n'), 100), []);
  assert.deepEqual(
    lines.take(Buffer.from('ab\n'), 102).map(({ offset }) => offset),
    [102],
  );
});

test('what is left of a line that is seen is passed over, however it comes', async () => {
  const lines = new LineSearch(await compilePattern({ text: 'ab' }), 10, true);
  assert.deepEqual(lines.take(Buffer.from('ab'), 10), []);
  assert.equal(lines.rest(), null);
  assert.deepEqual(lines.take(Buffer.from(' ab\r'), 12), []);
  assert.deepEqual(
    lines.take(Buffer.from('\nab\n'), 16).map(({ offset }) => offset),
    [17],
  );
});

test('a pattern that makes backtracking engines hang takes no time', async () => {
  const begin = process.cpuUsage();
  assert.deepEqual(await search(/(x+x+)+y$/, [Buffer.from(`${'x'.repeat(200_000)}\n`)]), []);
  assert.ok(process.cpuUsage(begin).user < 5_000_000);
});

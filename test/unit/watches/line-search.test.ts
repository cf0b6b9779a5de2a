import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../../src/engine/watches/compile-pattern.ts';
import { type LineMatcher, LineSearch, type PatternMatch } from '../../../src/model/line-search.ts';
import { checkPattern, type Pattern } from '../../../src/model/pattern.ts';

/** The matches in an output that comes in these pieces, the line without an end included. */
async function search(pattern: Pattern, pieces: readonly Buffer[], from = 0): Promise<PatternMatch[]> {
  return searchWith(await compilePattern(checkPattern(pattern)), pieces, from);
}

function searchWith(matcher: LineMatcher, pieces: readonly Buffer[], from = 0): PatternMatch[] {
  const lines = new LineSearch(matcher, from);
  let offset = from;
  const found = pieces.flatMap((piece) => {
    const matches = lines.take(piece, offset);
    offset += piece.length;
    return matches;
  });
  const last = lines.rest();
  return last === null ? found : [...found, last];
}

test('matches do not depend on where the pieces of the output begin', async () => {
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

test('a match has its offset in the written bytes, and the line as people see it', async () => {
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

test('invalid bytes count once each, so offsets are right, and the next match is found', async () => {
  const cases: Record<string, Buffer> = {
    'bytes that begin nothing': Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xf8]),
    'a character that breaks off': Buffer.from([0xe2, 0x82, 0x41, 0xf0, 0x9f, 0x98]),
    'halves of a pair of surrogates': Buffer.from([0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]),
    'a picture': Buffer.from(
      Array.from({ length: 256 }, (_none, at) => at).filter((at) => at !== 10 && at !== 13),
    ),
    text: Buffer.from('한국어 😀 '),
  };
  for (const [what, before] of Object.entries(cases)) {
    const line = Buffer.concat([before, Buffer.from('error 1'), before, Buffer.from(' error 2')]);
    const second = before.length * 2 + 8;
    const [first] = await search(/error \d/, [line]);
    assert.deepEqual([first?.offset, first?.nextOffset], [before.length, before.length + 7], what);
    const rest = line.subarray(first?.nextOffset);
    const [next] = await search(/error \d/, [rest], first?.nextOffset);
    assert.deepEqual([next?.offset, next?.nextOffset], [second, second + 7], what);
    const [ahead] = await search(/error 2/, [line, Buffer.from('\n')]);
    assert.equal(ahead?.offset, second, what);
  }
});

test('in a line without an end an incomplete character is not searched, and the complete one is', async () => {
  const lines = new LineSearch(await compilePattern(checkPattern(/^[^a]$/)), 0);
  const euro = Buffer.from('€');
  assert.deepEqual(lines.take(euro.subarray(0, 2), 0), []);
  assert.equal(lines.rest(), null);
  assert.deepEqual(lines.take(euro.subarray(2), 2), []);
  assert.deepEqual(lines.rest()?.nextOffset, 3);
});

test('a long growing line of non-Latin text is searched to its end', async () => {
  const lines = new LineSearch(await compilePattern({ text: '끝' }), 0);
  const piece = Buffer.from('한국어 글자 '.repeat(2_000));
  let offset = 0;
  for (let at = 0; at < 12; at += 1) {
    assert.deepEqual([...lines.take(piece, offset), lines.rest()], [null]);
    offset += piece.length;
  }
  assert.deepEqual(lines.take(Buffer.from('끝'), offset), []);
  assert.equal(lines.rest()?.offset, offset);
});

/** What finds a text or a regular expression of JavaScript, a few bytes at a time. */
function inPieces(regexp: RegExp, pieceBytes: number): LineMatcher {
  return {
    steps: 1,
    pieceBytes,
    stretchBytes: Math.ceil(pieceBytes / 4),
    overlap: Math.floor(pieceBytes / 4),
    find(line, from) {
      const sticky = new RegExp(regexp.source, 'gu');
      sticky.lastIndex = from;
      const found = sticky.exec(line);
      return found === null ? null : { index: found.index, length: found[0].length, groups: [] };
    },
  };
}

test('matches in a long line do not depend on the pieces in which it is searched', () => {
  const shown = ['a', 'b', 'b', '€', '😀', 'a', 'c', 'b', 'a', 'é'] as const;
  const unit = fc.constantFrom(...shown, ...shown, '\x1b[1m', '\x1b]0;a\x07', '\xff');
  const line = fc.array(unit, { minLength: 30, maxLength: 600 }).map((units) => units.join(''));
  const patterns = [/ab/, /^b/, /a$/, /a€b/, /bbb/, /^$/, /\ba/, /aab?$/];
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 3 }),
      fc.constantFrom(...patterns),
      fc.integer({ min: 200, max: 300 }),
      fc.array(fc.integer({ min: 1, max: 48 }), { minLength: 1 }),
      (lines, pattern, pieceBytes, sizes) => {
        const output = Buffer.from(`${lines.join('\n')}\n`);
        const pieces: Buffer[] = [];
        for (let at = 0, next = 0; at < output.length; next += 1) {
          const size = sizes[next % sizes.length] ?? 1;
          pieces.push(output.subarray(at, at + size));
          at += size;
        }
        const places = (found: PatternMatch[]): unknown[] =>
          found.map(({ offset, nextOffset, text, lineOffset }) => [offset, nextOffset, text, lineOffset]);
        assert.deepEqual(
          places(searchWith(inPieces(pattern, pieceBytes), pieces)),
          places(searchWith(inPieces(pattern, 1_000_000), [output])),
        );
      },
    ),
    { numRuns: 3_000 },
  );
});

test('a line that stays invisible, such as an endless title, takes no memory', async () => {
  const lines = new LineSearch(inPieces(/end/, 1_000), 0);
  const title = Buffer.from(`\x1b]0;${'t'.repeat(900)}`);
  for (let at = 0; at < 200; at += 1)
    lines.take(at === 0 ? title : Buffer.alloc(900, 't'), at === 0 ? 0 : title.length + (at - 1) * 900);
  const offset = title.length + 199 * 900;
  assert.deepEqual(
    lines.take(Buffer.from('\nend\n'), offset).map((match) => match.offset),
    [offset + 1],
  );
});

test('a line gives one match, even if it grows after that', async () => {
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

test('each state of an overwritten line is searched, but not a window title', async () => {
  const output = Buffer.from('1 %\r50 %\r100 %\r\n\x1b]0;50 % done\x07ok\n');
  assert.deepEqual(
    (await search('50 %', [output])).map(({ offset }) => offset),
    [4],
  );
});

test('a line of many megabytes is searched in pieces, and matches across two pieces are found', async () => {
  const piece = Buffer.alloc(128 * 1024 - 2, 'x');
  const pieces = [...Array(40).fill(piece), Buffer.from('here'), ...Array(20).fill(piece)];
  const before = process.memoryUsage().rss;
  const [match] = await search('xhere', pieces);
  assert.equal(match?.offset, 40 * piece.length - 1);
  assert.equal(match?.line.length, 4096);
  assert.equal(match?.lineOffset, 0);
  assert.ok(process.memoryUsage().rss - before < 200 * 1024 ** 2);
});

test('a new line begins after a stretch that was cut out', async () => {
  const lines = new LineSearch(await compilePattern({ text: 'ab' }), 0);
  assert.deepEqual(lines.take(Buffer.from('x a'), 0), []);
  assert.deepEqual(lines.take(Buffer.from('b\n'), 100), []);
  assert.deepEqual(
    lines.take(Buffer.from('ab\n'), 102).map(({ offset }) => offset),
    [102],
  );
});

test('the rest of a line that has matched already is skipped, however it comes', async () => {
  const lines = new LineSearch(await compilePattern({ text: 'ab' }), 10, true);
  assert.deepEqual(lines.take(Buffer.from('ab'), 10), []);
  assert.equal(lines.rest(), null);
  assert.deepEqual(lines.take(Buffer.from(' ab\r'), 12), []);
  assert.deepEqual(
    lines.take(Buffer.from('\nab\n'), 16).map(({ offset }) => offset),
    [17],
  );
});

test('a pattern that hangs backtracking engines takes no time', async () => {
  const begin = process.cpuUsage();
  assert.deepEqual(await search(/(x+x+)+y$/, [Buffer.from(`${'x'.repeat(200_000)}\n`)]), []);
  assert.ok(process.cpuUsage(begin).user < 5_000_000);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../../src/engine/watches/compile-pattern.ts';
import type { OutliveError } from '../../../src/errors/error.ts';
import { bounds } from '../../../src/model/limits.ts';
import { checkPattern } from '../../../src/model/pattern.ts';
import { estimatedInstructions } from '../../../src/model/pattern-estimate.ts';
import { filesUnder, root } from '../../support/repository.ts';

const refused = { name: 'OutliveError', code: 'INVALID_ARGUMENT' };

test('a text matches literally, and a regular expression by the rules of its flags', async () => {
  const cases: [pattern: unknown, line: string, matched: string | null][] = [
    ['a.b', 'a.b', 'a.b'],
    ['a.b', 'axb', null],
    [/a.b/, 'xaxbx', 'axb'],
    [/A.B/i, 'axb', 'axb'],
    [/A.B/, 'axb', null],
    [{ regexp: 'A.B', flags: 'i' }, 'axb', 'axb'],
    [{ regexp: '(?i)A.B' }, 'axb', 'axb'],
    [/(?<port>\d+)\/tcp/gu, 'x 80/tcp', '80/tcp'],
    [/^\u{1F600}.$/u, '😀€', '😀€'],
    [{ regexp: '^$' }, '', ''],
  ];
  for (const [pattern, line, matched] of cases) {
    const found = (await compilePattern(checkPattern(pattern))).find(line, 0);
    const text = found === null ? null : line.slice(found.index, found.index + found.length);
    assert.equal(text, matched, `${String(pattern)} in ${line}`);
  }
});

test('an invalid pattern is refused before anything is searched', () => {
  const bad = ['', 'two\nlines', 'x'.repeat(5_000), 5, null, {}, { regexp: 5 }, { regexp: '' }, []];
  for (const pattern of [...bad, { regexp: 'a', flags: 'v' }, { regexp: 'a', flags: 1 }]) {
    assert.throws(() => checkPattern(pattern), refused, JSON.stringify(pattern));
  }
});

test('a regular expression that needs more than linear time is refused, and the message says which part', async () => {
  for (const [pattern, part] of [
    [/a(?=b)/, '(?='],
    [/(a)\1/, '\\1'],
    [/(?<!a)b/, '(?<!a)'],
    [{ regexp: '(' }, 'missing'],
    [{ regexp: 'a{1001}' }, '{1001}'],
  ] as const) {
    await assert.rejects(compilePattern(checkPattern(pattern)), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'INVALID_ARGUMENT');
      assert.ok(error.message.includes(part), error.message);
      return true;
    });
  }
});

const costly: Readonly<Record<string, string>> = {
  'thousands of optional characters': 'a?'.repeat(2_000),
  'a repeat that is written short': 'a{0,900}b{0,900}',
  'repeats of repeats': '(?:(?:ab?c){30}){30}',
  'a long repeat of a long part': `(?:${'ab?'.repeat(300)}){1000}`,
  'an alternative for each of many words': Array.from({ length: 600 }, (_none, at) =>
    (at * 7_919).toString(36),
  ).join('|'),
  'classes of Unicode': '\\pL?'.repeat(400),
  'classes without case': `(?i)${'[^\\p{Lu}a]?'.repeat(300)}`,
  'hundreds of groups': '(a?)'.repeat(200),
  'groups within groups': `${'('.repeat(250)}a${')*'.repeat(250)}b`,
  'text that is quoted': `\\Q${'a'.repeat(3_000)}\\E`,
};

for (const [what, regexp] of Object.entries(costly)) {
  test(`a regular expression that costs too much for each character is refused: ${what}`, async () => {
    assert.ok(Buffer.byteLength(regexp) <= bounds.patternBytes, `${regexp.length}`);
    for (const flags of ['', 'i']) {
      const begin = process.cpuUsage();
      await assert.rejects(compilePattern(checkPattern({ regexp, flags })), (error: OutliveError) => {
        assert.equal(error.code, 'INVALID_ARGUMENT');
        assert.match(
          error.message,
          /^expected a regular expression that takes at most 1000 steps for a character; found /,
        );
        return true;
      });
      // Not compiled first, which would take much longer.
      assert.ok(process.cpuUsage(begin).user < 1_000_000);
    }
  });
}

test('usual patterns are far below the limit', async () => {
  const usual = [
    /error|warning|fatal|panic/i,
    /^\s*(?:at )?([\w./-]+):(\d+):(\d+)/,
    /Local:\s+https?:\/\/(localhost|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})/,
    /\b[0-9a-f]{7,40}\b/,
    /(?:FAIL|PASS)\s+.{0,200}\.test\.[jt]sx?/,
    /[\p{L}\p{N}_]+@[\p{L}\p{N}.-]+/u,
    new RegExp(Array.from({ length: 40 }, (_none, at) => `message number ${at * 7}`).join('|')),
  ];
  for (const pattern of usual) {
    const { steps } = await compilePattern(checkPattern(pattern));
    assert.ok(steps <= bounds.patternSteps / 2, `${pattern}: ${steps}`);
  }
});

test('a long text costs more if its search may compare each character repeatedly', async () => {
  const [short, long] = [
    await compilePattern({ text: 'ready' }),
    await compilePattern({ text: 'a'.repeat(4_096) }),
  ];
  assert.deepEqual([short.steps, long.steps], [1, 16]);
  assert.ok(long.overlap >= 4_096, 'what stands across the border of two pieces is found');
});

test('the estimated cost of a regular expression is not much below the real one', async () => {
  const atom = fc.constantFrom(
    'a',
    'é',
    '.',
    '\\d',
    '[ab]',
    '[^\\]a]',
    '[[:alpha:]-]',
    '\\pL',
    '\\p{Lu}',
    '\\x{41}',
    '\\Qa.b\\E',
    '^',
    '$',
    '\\b',
  );
  const { regexp } = fc.letrec<{ regexp: string; part: string }>((tie) => ({
    regexp: fc.array(tie('part'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
    part: fc.oneof(
      { maxDepth: 3 },
      atom,
      fc
        .tuple(atom, fc.constantFrom('?', '*', '+', '??', '{2}', '{0,7}', '{3,}', '{5,9}?'))
        .map((parts) => parts.join('')),
      fc
        .tuple(
          fc.constantFrom('(', '(?:', '(?i:', '(?<n>', '(?P<n>', '(?s)('),
          tie('regexp'),
          fc.constantFrom(')', ')?', ')*', '){3}', '){0,4}'),
        )
        .map((parts) => parts.join('')),
      fc.tuple(tie('regexp'), tie('regexp')).map(([one, other]) => `${one}|${other}`),
    ),
  }));
  const { RE2JS } = await import('re2js');
  fc.assert(
    fc.property(regexp, (source) => {
      let size: number;
      try {
        size = RE2JS.compile(RE2JS.translateRegExp(source)).programSize();
      } catch {
        return;
      }
      const estimate = estimatedInstructions(source);
      assert.ok(size <= 3 * estimate + 8, `${source}: ${size} instructions, estimated ${estimate}`);
    }),
    { numRuns: 2_000 },
  );
});

test('the estimate takes one pass for any regular expression', () => {
  for (const piece of ['[', '(', '(?', '\\', '\\p{', '\\x{', '{1', '[[:', '\\Q', '(?<', '[^]']) {
    const begin = process.cpuUsage();
    assert.ok(Number.isFinite(estimatedInstructions(piece.repeat(4_096))));
    assert.ok(process.cpuUsage(begin).user < 2_000_000, piece);
  }
});

test('the engine for regular expressions is loaded by the first one, not by importing the package', () => {
  const users = filesUnder('src', '.ts').filter((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return /^(?:import|export)(?! type\b)[^;]*from 're2js'/m.test(source);
  });
  assert.deepEqual(users, []);
});

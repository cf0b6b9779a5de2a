import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compilePattern } from '../../src/engine/compile-pattern.ts';
import { checkPattern } from '../../src/model/pattern.ts';
import { filesUnder, root } from '../support/repository.ts';

const refused = { name: 'OutliveError', code: 'INVALID_ARGUMENT' };

test('a text matches as it is, and a regular expression by the rules of its flags', async () => {
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
    const found = (await compilePattern(checkPattern(pattern)))(line, 0);
    const text = found === null ? null : line.slice(found.index, found.index + found.length);
    assert.equal(text, matched, `${String(pattern)} in ${line}`);
  }
});

test('what is no pattern is refused before anything is searched', () => {
  const bad = ['', 'two\nlines', 'x'.repeat(20_000), 5, null, {}, { regexp: 5 }, { regexp: '' }, []];
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
    [{ regexp: '(a{1000}){1000}' }, '{1000}'],
  ] as const) {
    await assert.rejects(compilePattern(checkPattern(pattern)), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'INVALID_ARGUMENT');
      assert.ok(error.message.includes(part), error.message);
      return true;
    });
  }
});

test('the engine of regular expressions is loaded by the first one, not by importing the package', () => {
  const users = filesUnder('src', '.ts').filter((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return /^(?:import|export)(?! type\b)[^;]*from 're2js'/m.test(source);
  });
  assert.deepEqual(users, []);
});

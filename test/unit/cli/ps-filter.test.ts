import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits, listsEnded, newestOf } from '../../../src/cli/ps-filter.ts';
import * as values from '../../../src/cli/values.ts';
import type { TaskSnapshot } from '../../../src/index.ts';

test('in a name pattern a star stands for any text, and nothing else is special', () => {
  const yes: [string, string][] = [
    ['web', 'web'],
    ['web', '*'],
    ['', '*'],
    ['web-1', 'web*'],
    ['web-1', '*-1'],
    ['web-1', 'w*b*1'],
    ['a.c', 'a.c'],
    ['aXbXc', 'a*X*c'],
    ['aa', 'a*a'],
  ];
  const no: [string, string][] = [
    ['web', 'we'],
    ['web', 'Web'],
    ['web-1', 'web'],
    ['abc', 'a.c'],
    ['a', 'a*a'],
    ['ab', '*ab*b'],
    ['web', ''],
  ];
  for (const [name, pattern] of yes) assert.ok(fits(name, pattern), `${name} ${pattern}`);
  for (const [name, pattern] of no) assert.ok(!fits(name, pattern), `${name} ${pattern}`);
  // Where other matchers try again and again, this one does not.
  assert.ok(!fits('a'.repeat(1000), `${'*a'.repeat(200)}b`));
});

test('ended tasks are listed on request', () => {
  assert.deepEqual([{}, { all: true }, { last: 3 }, { status: ['failed' as const] }].map(listsEnded), [
    false,
    true,
    true,
    true,
  ]);
  assert.equal(listsEnded({ all: true, status: ['running'] }), false);
});

test('the newest tasks are listed with the oldest of them first', () => {
  const tasks = [3, 1, 2].map((createdAt) => ({ createdAt }) as TaskSnapshot);
  const times = (count: number): number[] => newestOf(tasks, count).map(({ createdAt }) => createdAt);
  assert.deepEqual([times(0), times(2), times(9)], [[], [2, 3], [1, 2, 3]]);
});

test('statuses and labels are collected; invalid ones are refused', () => {
  assert.deepEqual(values.status('running, lost', ['failed']), ['failed', 'running', 'lost']);
  for (const text of ['', 'runing', 'running,', 'constructor'])
    assert.throws(() => values.status(text, undefined), /Expected some of: queued, starting/);
  assert.deepEqual(values.label('a=b=c', { x: null }), { x: null, a: 'b=c' });
  assert.deepEqual(values.label('a', undefined), { a: null });
  assert.deepEqual(values.label('a=', undefined), { a: '' });
  for (const text of ['', '=x']) assert.throws(() => values.label(text, undefined), /Expected a key/);
});

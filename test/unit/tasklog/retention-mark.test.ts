import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { markName, parseMark, type RetentionMark } from '../../../src/tasklog/retention-mark.ts';

const session = 'a-b-0123456789abcdef';

test('a mark is read as it was written, wherever the round stopped', () => {
  const marks: RetentionMark[] = [
    { dueAt: 0, maxBytes: null, bytes: 0, place: null },
    { dueAt: 1_764_360_000_000, maxBytes: 0, bytes: 123, place: { session, within: null } },
    {
      dueAt: 1,
      maxBytes: 10 * 1024 ** 3,
      bytes: 2 ** 50,
      place: { session: '12-0123456789abcdef', within: { folder: 'tasks', taskId: 'bgb-0123abcd0123' } },
    },
  ];
  for (const folder of ['output', 'never', '2026-11-28'])
    marks.push({
      dueAt: 5,
      maxBytes: null,
      bytes: 1,
      place: { session, within: { folder, taskId: 'bgb-ffffffffffff' } },
    });
  for (const mark of marks) assert.deepEqual(parseMark(markName(mark)), mark);
});

test('the folder of any session fits in a mark, and no name is too long for a file system', () => {
  for (const id of ['x', '', '日本', '-', 'A'.repeat(1024), 'a/../b', '12', `${'9'.repeat(40)}`, 'a,b']) {
    const name = /[^/\\]+$/.exec(sessionPaths('/store', id).dir)?.[0] ?? '';
    const place = { session: name, within: { folder: '2026-11-28', taskId: 'bgb-ffffffffffff' } };
    const mark = { dueAt: 10 ** 15 - 1, maxBytes: 2 ** 53 - 1, bytes: 2 ** 53 - 1, place };
    assert.deepEqual(parseMark(markName(mark)), mark);
    assert.ok(markName(mark).length < 200);
  }
});

test('any other file name is no mark', () => {
  const names = [
    'store.json',
    'retained-',
    'retained-1-any',
    'retained-1-2-3-',
    'retained-1-2-3-nohash',
    `retained-1-2-3-${session},`,
    `retained-1-2-3-${session},tasks`,
    `retained-1-2-3-${session},keys,bgb-000000000000`,
    `retained-1-2-3-${session},tasks,bgb-00000000000g`,
    `retained-1-2-3-../${session}`,
    `retained--1-2-3-${session}`,
    'retained-1e3-2-3',
    'retained-1-2-3.tmp',
    `retained-${'1'.repeat(16)}-any-0`,
    'retained-1-any-0\n',
  ];
  for (const name of names) assert.equal(parseMark(name), null, name);
});

test('a mark with a strange time can still be read', () => {
  for (const dueAt of [-5, 0.5, 1_764_360_000_000.25, -1e15, 1e-7]) {
    const mark = { dueAt, maxBytes: null, bytes: 0, place: null };
    assert.deepEqual(parseMark(markName(mark)), { ...mark, dueAt: Math.max(0, Math.round(dueAt)) });
  }
});

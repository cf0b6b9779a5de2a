import assert from 'node:assert/strict';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { sessionPaths, taskIdOfFile, taskPaths } from '../../../src/tasklog/paths.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { anyText } from '../model/arbitrary-facts.ts';

const evil = fc.constantFrom(
  '../../x',
  '..',
  '.',
  '/',
  '/etc',
  'a/../../b',
  '~',
  'C:\\x',
  '.hidden',
  '-rf',
  '\0',
  '',
);

test(
  'the folder of a session is directly in the sessions folder of the store, whatever the id',
  notOnWindows('it compares paths with forward slashes'),
  () => {
    fc.assert(
      fc.property(fc.oneof(evil, anyText, fc.string({ unit: 'binary' })), (sessionId) => {
        const { dir, tasks, output, record } = sessionPaths('/store', sessionId);
        assert.equal(dirname(dir), '/store/sessions');
        // Small letters, digits and single signs: safe on file systems that fold case, and never hidden.
        assert.match(basename(dir), /^[a-z0-9]+(-[a-z0-9]+)*$/);
        assert.ok(basename(dir).length <= 32 + 1 + 16);
        for (const path of [tasks, output, record]) assert.equal(dirname(path), dir);
      }),
      { numRuns: 2_000 },
    );
  },
);

test('different ids have different folders, also where their slugs agree', () => {
  const long = 'x'.repeat(200);
  const ids = ['a', 'A', ' a', 'a ', 'a/', 'a\0', 'ä', 'a\u0308', `${long}1`, `${long}2`, '', '-'];
  const folders = new Set(ids.map((id) => sessionPaths('/store', id).dir));
  assert.equal(folders.size, ids.length);
});

test('the folder of an id never changes', () => {
  const folder = (id: string) => basename(sessionPaths('/store', id).dir);
  assert.equal(folder('conversation-42'), 'conversation-42-c5119362c78ef8e9');
  assert.equal(folder('../../x'), 'x-9cdf6a50100a862e');
  assert.equal(folder('한국어'), 'session-ea3252281bc3bcec');
  assert.equal(
    folder('My Session: a Review of Pull Request 42'),
    'my-session-a-review-of-pull-requ-a5cd13ff962a50c4',
  );
});

test("a task's files are named by its id", () => {
  const paths = taskPaths(sessionPaths('/store', 'a'), 'bgb-0123abcd0123');
  const { tasks, output } = sessionPaths('/store', 'a');
  assert.deepEqual(paths, {
    log: join(tasks, 'bgb-0123abcd0123.jsonl'),
    stdout: join(output, 'bgb-0123abcd0123.out'),
    stderr: join(output, 'bgb-0123abcd0123.err'),
    command: join(output, 'bgb-0123abcd0123.cmd'),
    hook: join(output, 'bgb-0123abcd0123.hook'),
    pipes: join(output, 'bgb-0123abcd0123.pipes'),
    stdoutMarks: join(output, 'bgb-0123abcd0123.out.marks'),
    stderrMarks: join(output, 'bgb-0123abcd0123.err.marks'),
    stdoutFifo: join(output, 'bgb-0123abcd0123.out.fifo'),
    stderrFifo: join(output, 'bgb-0123abcd0123.err.fifo'),
    screen: join(output, 'bgb-0123abcd0123.out.screen'),
    socket: join(output, 'bgb-0123abcd0123.sock'),
    sizes: join(output, 'bgb-0123abcd0123.out.sizes'),
  });
});

test('only the name of a log counts as a task', () => {
  assert.equal(taskIdOfFile('bgb-0123abcd0123.jsonl'), 'bgb-0123abcd0123');
  const others = [
    'bgb-0123abcd0123',
    'bgb-0123ABCD0123.jsonl',
    'bgb-0123abcd0123.jsonl.tmp',
    'bgb-0123abcd01234.jsonl',
    'bgb-0123abcd.jsonl',
    '.jsonl',
  ];
  for (const name of [
    ...others,
    'bgb-0123abcd012/.jsonl',
    'bgb-0123abcd0123\n.jsonl',
    '../bgb-0123abcd0123.jsonl',
    '',
  ])
    assert.equal(taskIdOfFile(name), null, JSON.stringify(name));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterOf } from '../../../src/cli/top/filter.ts';
import { keyOf, rowsOf } from '../../../src/cli/top/rows.ts';
import type { TaskSnapshot } from '../../../src/model/snapshot.ts';

function task(taskId: string, more: Partial<TaskSnapshot> = {}): TaskSnapshot {
  const fields = { taskId, sessionId: 's', name: null, command: 'true', cwd: '/w', labels: {}, createdAt: 1 };
  return { ...fields, status: 'completed', ...more } as TaskSnapshot;
}

test('running tasks come first, then ended ones, the newest first, each below its session', () => {
  const tasks = [
    task('a', { sessionId: 'one', createdAt: 1 }),
    task('b', { sessionId: 'two', createdAt: 2, status: 'running' } as Partial<TaskSnapshot>),
    task('c', { sessionId: 'two', createdAt: 3 }),
    task('d', { sessionId: 'one', createdAt: 4 }),
  ];
  const keys = (isOpen: ((id: string) => boolean) | null): string[] => rowsOf(tasks, isOpen).map(keyOf);
  assert.deepEqual(
    keys(() => true),
    ['session two', 'b', 'c', 'session one', 'd', 'a'],
  );
  assert.deepEqual(
    keys((id) => id === 'one'),
    ['session two', 'session one', 'd', 'a'],
  );
  assert.deepEqual(keys(null), ['b', 'd', 'c', 'a']);
  assert.deepEqual(
    rowsOf([], () => true),
    [],
  );
});

test('all words of a filter must match', () => {
  const web = task('bgb-1', { name: 'web 1', command: 'npm run Dev', labels: { kind: 'server' } });
  const fits: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['WEB dev', true],
    ['web nothing', false],
    ['status:completed', true],
    ['status:failed,lost', false],
    ['label:kind', true],
    ['label:kind=server label:other', false],
    ['name:web*', true],
    ['name:"web 1"', true],
    ['session:s', true],
    ['session:t*', false],
    // While it is being typed, and what only looks like a key.
    ['status:', true],
    ['http://x', false],
    ['"npm run"', true],
  ];
  for (const [words, isSo] of fits) assert.equal(filterOf(words)(web), isSo, words);
  assert.throws(() => filterOf('status:broken'), { code: 'USAGE', message: /^status: Expected some of/ });
  assert.throws(() => filterOf('label:=x'), { code: 'USAGE' });
});

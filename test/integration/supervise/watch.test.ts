import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WatchMatch } from '../../../src/index.ts';
import { World, waitFor } from '../../support/world.ts';

async function all(matches: AsyncIterable<WatchMatch>): Promise<WatchMatch[]> {
  const found: WatchMatch[] = [];
  for await (const match of matches) found.push(match);
  return found;
}

test('each matching line is yielded, with offset, line and context lines, until the task has ended', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(
    'for i in 1 2 3 4 5 6; do echo "line $i"; sleep 0.01; done; printf "line 7 without an end"',
  );
  const found = await all(task.watch(/line ([36])$|(7)/, { contextLines: 2 }));
  assert.deepEqual(
    found.map(({ taskId, text, offset, lineOffset, dropped }) => [taskId, text, offset, lineOffset, dropped]),
    [
      [task.id, 'line 3', 14, 14, 0],
      [task.id, 'line 6', 35, 35, 0],
      [task.id, '7', 47, 42, 0],
    ],
  );
  const again = await all(task.watch('3', { contextLines: 2 }));
  assert.deepEqual(
    again.map(({ before, after }) => [before, after]),
    [
      [
        ['line 1', 'line 2'],
        ['line 4', 'line 5'],
      ],
    ],
  );
});

test('if there are more matches than the limit allows, the newest is yielded, with the number of dropped ones', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('seq 1 5000; sleep 0.2; echo 5001');
  const found = await all(task.watch(/^\d+$/, { maxPerSecond: 5 }));
  const dropped = found.reduce((sum, match) => sum + match.dropped, 0);
  assert.equal(found.length + dropped, 5001);
  assert.ok(found.length < 200, `${found.length} matches`);
  assert.equal(found.at(-1)?.text, '5001');
  assert.equal((await all(task.watch('5', { maxPerSecond: null }))).length, 1357);
});

test('a watch can begin anywhere, can be told not to wait, and can be aborted without an error', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo a1; echo a2; exec sleep 1000');
  await waitFor(() => task.snapshot().output.bytes === 6, 'the output');
  const now = await all(task.watch('a', { from: 3, wait: false }));
  assert.deepEqual(
    now.map(({ line }) => line),
    ['a2'],
  );
  const abort = new AbortController();
  const waiting = all(task.watch('a', { abortSignal: abort.signal }));
  abort.abort();
  assert.ok((await waiting).length <= 2);
});

test('an invalid watch is refused', async () => {
  await using world = new World();
  const { task } = await (await world.session()).run('true');
  for (const options of [
    { contextLines: 101 },
    { maxPerSecond: 0 },
    { from: -1 },
    { stream: 'x' as 'stdout' },
  ])
    await assert.rejects(
      all(task.watch('x', options)),
      { code: 'INVALID_ARGUMENT' },
      JSON.stringify(options),
    );
  await assert.rejects(all(task.watch('')), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(all(task.watch(/(a)\1/)), { code: 'INVALID_ARGUMENT' });
  for (const id of ['', 'a b', 'x'.repeat(65)])
    await assert.rejects(task.addWatch('x', { id }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(task.addWatch(/(?=x)/), { code: 'INVALID_ARGUMENT' });
});

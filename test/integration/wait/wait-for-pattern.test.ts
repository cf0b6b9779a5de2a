import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fixture, World, waitFor } from '../../support/world.ts';

test('a line that is written during a wait ends the wait, even before its line end', async () => {
  await using world = new World();
  const session = await world.session();
  for (const command of ['sleep 0.1; echo "is ready now"', 'sleep 0.1; printf "is ready? "']) {
    const task = await session.spawn(`${command}; sleep 1000`);
    const { cause, match, snapshot, port, idleMs } = await task.waitFor({ pattern: 'ready' });
    assert.deepEqual([cause, snapshot.status, port, idleMs], ['pattern', 'running', null, null]);
    assert.deepEqual([match?.offset, match?.nextOffset, match?.text], [3, 8, 'ready']);
  }
});

test('a line from before the call counts, but not one before `from`', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready 1; echo ready 2; exec sleep 1000');
  const first = await task.waitFor({ pattern: /ready (\d)/ });
  assert.deepEqual(first.match?.groups, ['1']);
  const second = await task.waitFor({ pattern: /ready (\d)/, from: first.match?.nextOffset ?? 0 });
  assert.deepEqual(second.match?.groups, ['2']);
  const third = await task.waitFor({
    pattern: /ready (\d)/,
    from: second.match?.nextOffset ?? 0,
    timeoutMs: 20,
  });
  assert.deepEqual([third.cause, third.match], ['timeout', null]);
});

test('a wait can begin at an offset that is not written yet', async () => {
  await using world = new World();
  const session = await world.session();
  const [first, second] = [`${world.base}/first`, `${world.base}/second`];
  const until = (path: string): string => `until [ -e ${path} ]; do sleep 0.02; done`;
  const task = await session.spawn(
    `echo ready; ${until(first)}; echo xyready; ${until(second)}; echo ready; exec sleep 1000`,
  );
  await task.waitFor({ pattern: 'ready' });
  const waiting = task.waitFor({ pattern: 'ready', from: 9 });
  writeFileSync(first, '');
  await waitFor(() => task.snapshot().output.bytes === 14, 'the line');
  assert.equal((await task.waitFor({ pattern: 'y', from: 7, timeoutMs: 1000 })).match?.offset, 7);
  writeFileSync(second, '');
  assert.equal((await waiting).match?.offset, 14);
});

test('a match across two read pieces is found, far into a flood', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${fixture('floods-stdout.mjs', '3000000')}; echo; echo the end`);
  const { match } = await task.waitFor({ pattern: /^the (end)$/ });
  assert.deepEqual([match?.offset, match?.groups], [3_000_001, ['end']]);
});

test('a separate stderr is searched on request', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo ready >&2; exec sleep 1000', { separate: true });
  assert.equal((await task.waitFor({ pattern: 'ready', stream: 'stderr' })).cause, 'pattern');
  assert.equal((await task.waitFor({ pattern: 'ready', timeoutMs: 20 })).cause, 'timeout');
});

test('the tasks of another process are waited for like our own', async () => {
  await using world = new World();
  const [session, other] = [await world.session(), await world.session()];
  const task = await session.spawn('sleep 0.1; echo ready; exec sleep 1000');
  assert.equal((await other.task(task.id).waitFor({ pattern: 'ready' })).cause, 'pattern');
});

test('an invalid condition is refused', async () => {
  await using world = new World();
  const { task } = await (await world.session()).run('true');
  const bad = [
    { pattern: '' },
    { pattern: /(a)\1/ },
    { port: 0 },
    { port: 70_000 },
    { idleMs: -1 },
    { from: -1 },
  ];
  for (const options of [...bad, { timeoutMs: -1 }, { stream: 'x' as 'stdout' }]) {
    await assert.rejects(task.waitFor(options), { code: 'INVALID_ARGUMENT' }, JSON.stringify(options));
  }
});

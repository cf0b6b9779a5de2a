import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { factOf } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { untilPrinted } from '../../support/ready.ts';
import { fixture, World } from '../../support/world.ts';

/** A grace that no test waits for. */
const longMs = 600_000;

const handlesInt = `trap 'echo interrupted; exit 5' INT; trap 'exit 6' TERM; echo ready; while :; do sleep 0.02; done`;

// The reference system gave a handler 50 ms.
test(
  'a SIGTERM handler and what it starts get the grace period, and the real exit code is recorded',
  notOnWindows('no process can be asked to end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(fixture('handles-sigterm-slowly.sh'));
    await untilPrinted(task);
    const snapshot = await task.kill({ graceMs: longMs });
    assert.equal(snapshot.status, 'killed');
    assert.equal(snapshot.statusReason, 'kill');
    assert.equal(snapshot.exitCode, 7, 'the helper of the handler was not left to finish');
    assert.match(snapshot.output.preview, /saved/);
  },
);

test('a handler that takes longer than the grace period is cut short', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('handles-sigterm-slowly.sh', '300'), { graceMs: longMs });
  await untilPrinted(task);
  const snapshot = await task.kill({ graceMs: 100 });
  assert.equal(snapshot.status, 'killed');
  assert.doesNotMatch(snapshot.output.preview, /saved/);
});

test('kill() without a grace period uses the one from spawn', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'), { graceMs: 50 });
  await untilPrinted(task);
  assert.equal((await task.kill()).status, 'killed');
  assert.equal(factOf(world.logOf(task.id), 'stop').graceMs, 50);
});

test('kill() sends the given signal', notOnWindows('no process can be asked to end there'), async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(handlesInt);
  await untilPrinted(task);
  const snapshot = await task.kill({ killSignal: 'SIGINT', graceMs: longMs });
  assert.equal(snapshot.exitCode, 5);
  assert.match(snapshot.output.preview, /interrupted/);
});

test(
  'SIGKILL as the first signal skips the grace period',
  notOnWindows('no process can be asked to end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(fixture('handles-sigterm-slowly.sh', '0'));
    await untilPrinted(task);
    const snapshot = await task.kill({ killSignal: 'SIGKILL', graceMs: longMs });
    assert.equal(snapshot.status, 'killed');
    assert.equal(snapshot.exitCode, 137);
    assert.doesNotMatch(snapshot.output.preview, /saved/);
  },
);

test('a second kill() with a shorter grace period shortens the first, and both get the same answer', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'));
  await untilPrinted(task);
  const first = task.kill({ graceMs: longMs });
  assert.equal(task.snapshot().status, 'killing');
  const second = await task.kill({ graceMs: 50 });
  assert.equal(second.status, 'killed');
  assert.deepEqual(await first, second);
});

test('a second kill() with SIGKILL shortens the first', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(fixture('ignores-sigterm-tree.sh'));
  await untilPrinted(task);
  const first = task.kill({ graceMs: longMs });
  const second = await task.kill({ graceMs: longMs, killSignal: 'SIGKILL' });
  assert.equal(second.status, 'killed');
  assert.deepEqual(await first, second);
});

test(
  'a second kill() with another signal sends that signal',
  notOnWindows('no process can be asked to end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(`trap '' TERM; ${handlesInt.replace(/trap 'exit 6' TERM;/, '')}`);
    await untilPrinted(task);
    const first = task.kill({ graceMs: longMs });
    assert.equal((await task.kill({ graceMs: longMs, killSignal: 'SIGINT' })).exitCode, 5);
    assert.equal((await first).exitCode, 5);
  },
);

test('kill() of an ended task changes nothing', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exit 3');
  const ended = await task.wait();
  const log = readFileSync(world.logOf(task.id), 'utf8');
  assert.deepEqual(await task.kill(), ended);
  assert.deepEqual(await task.kill({ killSignal: 'SIGKILL' }), ended);
  assert.equal(readFileSync(world.logOf(task.id), 'utf8'), log);
});

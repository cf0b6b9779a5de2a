import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Paired } from '../../support/acp.ts';
import { World, waitFor } from '../../support/world.ts';

test('an end that was read by wait_for_exit, or with an output, counts as told; every other end is pending', async () => {
  await using world = new World();
  const store = await world.store();
  using paired = new Paired({ store });
  const create = (command: string) => paired.editor.createTerminal({ sessionId: 'one', command });
  const waited = await create('true');
  await waited.waitForExit();
  const looked = await create('true');
  await waitFor(async () => (await looked.currentOutput()).exitStatus, 'the exit status');
  const killed = await create('exec sleep 1000');
  await killed.kill();
  const released = await create('exec sleep 1000');
  await released.release();
  const unread = await create('true');
  const session = await paired.terminals.session('one');
  await waitFor(async () => (await session.pending()).length === 3, 'three completions');
  const pending = (await session.takePending()).map(({ taskId }) => taskId).sort();
  assert.deepEqual(pending, [killed.id, released.id, unread.id].sort());
});

test('if an agent goes away while it waits, the completion stays pending', async () => {
  await using world = new World();
  const store = await world.store();
  const paired = new Paired({ store });
  const terminal = await paired.editor.createTerminal({ sessionId: 'one', command: 'exec sleep 1000' });
  const answer = terminal.waitForExit().catch(() => 'gone');
  // Answered in their order of arrival: the wait has begun.
  await terminal.currentOutput();
  paired[Symbol.dispose]();
  assert.equal(await answer, 'gone');
  const session = await store.session('acp:one');
  await session.task(terminal.id).kill({ ack: false });
  await waitFor(async () => (await session.pending()).length === 1, 'the completion');
});

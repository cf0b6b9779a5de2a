import assert from 'node:assert/strict';
import { test } from 'node:test';
import { untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

test('following an ended task gives all output and ends', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('seq 1 30000');
  let text = '';
  for await (const chunk of task.follow()) text += chunk.text;
  assert.equal(text, (await task.read({ maxBytes: 1e6 })).text);
  const { task: silent } = await session.run('true');
  for await (const chunk of silent.follow()) assert.fail(chunk.text);
});

test('a chunk arrives before the task ends', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo one; sleep 1000');
  for await (const chunk of task.follow()) {
    assert.equal(chunk.text, 'one\n');
    assert.equal(chunk.more, true);
    break;
  }
  assert.equal(task.snapshot().status, 'running');
});

test('aborting ends the iteration without an error, and the task goes on', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('echo one; sleep 1000');
  const abort = new AbortController();
  const chunks: string[] = [];
  const following = (async () => {
    for await (const chunk of task.follow({ abortSignal: abort.signal })) chunks.push(chunk.text);
  })();
  await waitFor(() => chunks.length === 1, 'the first chunk');
  abort.abort();
  await following;
  assert.deepEqual(chunks, ['one\n']);
  assert.equal(task.snapshot().status, 'running');
  for await (const chunk of task.follow({ abortSignal: AbortSignal.abort() })) assert.fail(chunk.text);
});

test('closing the session ends the iteration, and the task goes on', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000');
  const following = (async () => {
    for await (const chunk of task.follow()) assert.fail(chunk.text);
  })();
  await session.close();
  await following;
  await untilStarted(world, task.id);
  assert.equal((await (await world.session()).tasks())[0]?.status, 'running');
});

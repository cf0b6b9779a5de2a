import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { World } from '../../support/world.ts';

test('run returns the result of a command that ends in time', async () => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot, ended, output } = await session.run('echo done; exit 4', { waitMs: 60_000 });
  assert.equal(ended, true);
  assert.deepEqual([snapshot.status, snapshot.exitCode, snapshot.delivered], ['failed', 4, true]);
  assert.equal(output.text, 'done\n');
  assert.equal(snapshot.taskId, task.id);
});

test('when the time is up, run returns the running task, and its completion will be pending', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const command = `echo begun; while [ ! -e ${go} ]; do sleep 0.02; done; echo over`;
  const { task, snapshot, ended, output } = await session.run(command, { waitMs: 250 });
  assert.equal(ended, false);
  assert.equal(snapshot.endedAt, null);
  assert.equal(output.more, true);
  writeFileSync(go, '');
  for await (const completion of session.completions()) {
    assert.equal(completion.taskId, task.id);
    break;
  }
  const rest = await task.read({ offset: output.nextOffset });
  assert.equal(output.text + rest.text, 'begun\nover\n');
});

test('run returns the end of a long output, and says how much it leaves out', async () => {
  await using world = new World();
  const session = await world.session();
  const { output } = await session.run('seq 1 1000', { maxBytes: 10 });
  assert.equal(output.text, '\n999\n1000\n');
  assert.equal(output.omittedBytes, output.size - 10);
});

test('aborting a run rejects with the reason and leaves the task running', async () => {
  await using world = new World();
  const session = await world.session();
  const abort = new AbortController();
  const reason = new Error('no time');
  setTimeout(() => abort.abort(reason), 50);
  await assert.rejects(session.run('sleep 1000', { abortSignal: abort.signal }), reason);
  assert.match((await session.tasks())[0]?.status ?? '', /^(starting|running)$/);
});

test('a refused run starts nothing', async () => {
  await using world = new World();
  const session = await world.session();
  await assert.rejects(session.run('true', { waitMs: -1 }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(session.run('true', { maxBytes: 0 }), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(session.run(''), { code: 'INVALID_COMMAND' });
  await assert.rejects(session.run('true', { abortSignal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.deepEqual(world.taskIds(), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTask } from '../../src/mcp/find-task.ts';
import { World } from '../support/world.ts';

test('a task is found by its id, its name, and the beginning of its id', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('sleep 1000', { name: 'server' });
  for (const reference of [task.id, 'server', task.id.slice(0, 10)]) {
    assert.equal((await findTask(session, reference)).taskId, task.id, reference);
  }
});

test('of several tasks of one name it is the one that runs, else the last', async () => {
  await using world = new World();
  const session = await world.session();
  const start = async (command: string) => await session.spawn(command, { name: 'it', shell: 'sh' });
  const first = await start('sleep 1000');
  const second = await start('true');
  await second.wait();
  assert.equal((await findTask(session, 'it')).taskId, first.id);
  await first.kill({ graceMs: 0 });
  assert.equal((await findTask(session, 'it')).taskId, second.id);
});

test('what could be several tasks is refused with their ids, what is none with the way to list them', async () => {
  await using world = new World();
  const session = await world.session();
  const tasks = [
    await session.spawn('sleep 1000', { name: 'it' }),
    await session.spawn('sleep 1000', { name: 'it' }),
  ];
  await assert.rejects(findTask(session, 'it'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'INVALID_ARGUMENT');
    return tasks.every(({ id }) => error.message.includes(id));
  });
  for (const reference of ['nobody', 'bgb-', 'bgb-00000000', '../x']) {
    await assert.rejects(findTask(session, reference), { code: 'TASK_NOT_FOUND' }, reference);
  }
});

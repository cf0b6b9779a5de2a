import assert from 'node:assert/strict';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

windowsTest('input and terminals are refused by name, and nothing is started', async () => {
  await using world = new World();
  const session = await world.session();
  const wrong = { code: 'INVALID_ARGUMENT', message: /on Windows/ };
  await assert.rejects(session.spawn('echo', { stdin: 'open' }), wrong);
  await assert.rejects(session.spawn('echo', { stdin: { data: 'x' } }), wrong);
  await assert.rejects(session.spawn('echo', { tty: { cols: 80, rows: 24 } }), wrong);
  assert.deepEqual(await session.tasks(), []);
});

windowsTest('a task on Windows says that it takes no input, and that it has no terminal', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('exit 0');
  await assert.rejects(task.send('x'), { code: 'INPUT_CLOSED' });
  await assert.rejects(task.screen(), { code: 'NO_TERMINAL' });
  await task.wait();
});

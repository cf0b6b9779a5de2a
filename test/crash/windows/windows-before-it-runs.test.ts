import assert from 'node:assert/strict';
import { lead, parse } from '../../support/crashes.ts';
import { windowsTest } from '../../support/windows-test.ts';
import { World } from '../../support/world.ts';

windowsTest('if a spawner dies before it lets its wrapper run, the next process does', async () => {
  await using world = new World();
  const { text } = await lead('dies-at-call.mjs', world.dir, 'spawn', { DIES_BEFORE: 'ResumeThread' });
  assert.match(text, /^\{"died":\d+\}\n$/);
  assert.deepEqual(parse(text).spawned, [], 'it was not answered');
  const session = await world.session();
  const [task] = await session.tasks();
  assert.ok(task);
  assert.equal(task.status, 'running');
  const { status, exitCode } = await session.task(task.taskId).wait();
  assert.deepEqual([status, exitCode], ['completed', 0]);
});

windowsTest(
  'if a spawner dies before its wrapper is in its job, the wrapper is ended, and the task has not run',
  async () => {
    await using world = new World();
    const { text } = await lead('dies-at-call.mjs', world.dir, 'spawn', {
      DIES_BEFORE: 'AssignProcessToJobObject',
    });
    assert.match(text, /^\{"died":\d+\}\n$/);
    const session = await world.session();
    const [task] = await session.tasks();
    assert.ok(task);
    const { status, statusReason, leftovers } = await session.task(task.taskId).wait();
    assert.deepEqual([status, statusReason, leftovers], ['failed', 'spawn_aborted', []]);
    assert.deepEqual(world.pids(), []);
  },
);

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { isEnded } from '../../../src/index.ts';
import { hasFact } from '../../support/logs.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** By then it has handed on some hundred times. */
const oldSeconds = '2.1';

/** One look may miss it. */
function pidsInSomeLooks(world: World, taskId: string): number[] {
  return Array.from({ length: 5 }, () => world.pidsOf(taskId)).flat();
}

test('a leftover is named also while it re-forks again and again', async () => {
  await using world = new World();
  const session = await world.session();
  for (const seconds of ['0', '0', '0', oldSeconds]) {
    const tasks = await Promise.all(
      [1, 2, 3].map(() => session.spawn(fixture('hands-on.sh', `${world.base}/stop`, seconds))),
    );
    for (const task of tasks) {
      const end = await task.wait();
      assert.notDeepEqual(end.leftovers, [], `after ${seconds} s`);
      assert.deepEqual((await task.kill({ graceMs: 0 })).leftovers, []);
      assert.deepEqual(pidsInSomeLooks(world, task.id), []);
    }
  }
});

test('leftovers "kill": a leftover that re-forks again and again is gone when the task ends', async () => {
  await using world = new World();
  const session = await world.session();
  for (const seconds of ['0', oldSeconds]) {
    const command = fixture('hands-on.sh', `${world.base}/stop`, seconds);
    const end = await (await session.spawn(command, { leftovers: 'kill', graceMs: 20 })).wait();
    assert.deepEqual([end.status, end.leftovers], ['completed', []]);
    assert.deepEqual(pidsInSomeLooks(world, end.taskId), []);
  }
});

test('leftovers "wait": a task runs as long as one of its processes re-forks', async () => {
  await using world = new World();
  const session = await world.session();
  const stop = `${world.base}/stop`;
  const task = await session.spawn(fixture('hands-on.sh', stop, '0'), { leftovers: 'wait' });
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the end of the command');
  await waitFor(() => {
    const { status, output } = task.snapshot();
    return output.bytes > 30 || isEnded(status);
  }, 'thirty of them');
  assert.equal(task.snapshot().status, 'running');
  writeFileSync(stop, '');
  const end = await task.wait();
  assert.deepEqual([end.status, end.leftovers], ['completed', []]);
});

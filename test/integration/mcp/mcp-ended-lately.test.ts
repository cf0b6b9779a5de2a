import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { latelyIn, ofAnotherAgent } from '../../support/mcp-told.ts';
import { World, waitFor } from '../../support/world.ts';

test('tasks lists what ended in the last hour, told or not, at most twenty, and writes nothing', async () => {
  await using world = new World();
  const session = await world.session('s');
  await using server = await McpProcess.start(world, { session: 's' });
  const told = (await server.call('run', { command: 'exit 3', name: 'told' })).structuredContent.task.taskId;
  await waitFor(async () => {
    await server.call('tasks');
    return session.task(told).snapshot().delivered;
  }, 'the acknowledgement');
  await using other = await McpProcess.start(world, { ...ofAnotherAgent, session: 'other' });
  const started = await other.call('run', { command: 'sleep 1; exit 4', name: 'of another', wait_ms: 0 });
  const untold = started.structuredContent.task.taskId;
  await waitFor(async () => (await (await world.session('other')).pending()).length === 1, 'the end');
  const before = world.files();
  const lines = latelyIn(await server.call('tasks'));
  assert.match(
    lines[0] ?? '',
    new RegExp(
      `^- ${untold} "of another" failed .*\\(.* ago, started by another client, not acknowledged\\)$`,
    ),
  );
  assert.match(lines[1] ?? '', new RegExp(`^- ${told} "told" failed \\(exit code 3\\).* ago\\)$`));
  assert.deepEqual(world.files(), before);
  assert.match((await server.call('wait')).content[0]?.text ?? '', new RegExp(`Ended lately:\n- ${untold} `));
  assert.deepEqual(latelyIn(await server.call('tasks', { all: true })), []);
  const many = await Promise.all(Array.from({ length: 21 }, () => session.spawn('true', { shell: 'sh' })));
  await Promise.all(many.map((task) => task.wait()));
  assert.equal(latelyIn(await server.call('tasks')).length, 20);
  const none = (await server.call('wait')).content[0]?.text ?? '';
  assert.equal(none.split('Ended lately:\n')[1]?.split('\n').length, 3);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

test('run refuses the name of a running task with a code, and takes its place with replace', async () => {
  await using world = new World();
  await using server = await McpProcess.start(world, { session: 's' });
  await server.call('run', { command: 'sleep 1000', name: 'dev', wait_ms: 0 });
  const [first = ''] = world.taskIds();
  const refused = await server.call('run', { command: 'true', name: 'dev', wait_ms: 0 });
  assert.equal(refused.isError, true);
  assert.match(refused.content[0]?.text ?? '', new RegExp(`^NAME_TAKEN: .*"dev", which ${first} has`));
  assert.deepEqual(world.taskIds(), [first]);
  await server.call('run', { command: 'sleep 1001', name: 'dev', replace: true, wait_ms: 0 });
  const session = await world.session('s');
  assert.equal(session.task(first).snapshot().statusReason, 'replaced');
  assert.equal(session.find('dev').command, 'sleep 1001');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

test('a second run with the same key starts nothing, also by another server, and says so', async () => {
  await using world = new World();
  await using one = await McpProcess.start(world, { session: 's' });
  await using other = await McpProcess.start(world, { session: 's' });
  const first = await one.call('run', { command: 'echo ran; exit 3', key: 'a key' });
  const second = await other.call('run', { command: 'echo never', key: 'a key' });
  const text = JSON.stringify(second);
  assert.match(text, /has this key already: nothing was started/);
  assert.match(text, /ran/);
  const idIn = (answer: unknown): string => /bgb-[0-9a-f]{12}/.exec(JSON.stringify(answer))?.[0] ?? '';
  assert.equal(idIn(second), idIn(first));
  assert.equal(world.taskIds().length, 1);
});

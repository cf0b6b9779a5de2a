import assert from 'node:assert/strict';
import { test } from 'node:test';
import { post, startHttp } from '../../support/mcp-http.ts';
import type { ToolResult } from '../../support/mcp-process.ts';
import { notesIn, riderIdsIn } from '../../support/mcp-told.ts';
import { World, waitFor } from '../../support/world.ts';

// What a proxy sends in place of an answer the server does not see: to it, the answer was taken. So here the client does not look.

const nothing = { again: [], reminders: [] };

/** A client of session "s", and an end that it was not told of. */
async function begin(world: World) {
  const server = await startHttp(world);
  const session = await (await world.store()).session('s');
  const call = async (name: string, args: object = {}, meta: object = {}): Promise<ToolResult> =>
    (await post(server.url, 'tools/call', { name, arguments: args, _meta: meta })) as unknown as ToolResult;
  const ran = await call('run', { command: 'sleep 1; exit 3', wait_ms: 0 });
  const taskId = /bgb-[0-9a-f]{12}/.exec(JSON.stringify(ran))?.[0] ?? '';
  await waitFor(async () => (await session.pending()).length === 1, 'the end');
  const pending = async (): Promise<number> => (await session.pending()).length;
  return { server, call, taskId, pending };
}

test('over HTTP an end is told in full, and again in one line of the next answer, whichever of the two is lost', async () => {
  await using world = new World();
  const { server, call, taskId, pending } = await begin(world);
  await using _server = server;
  const told = await call('wait', { task: taskId });
  assert.match(told.content[0]?.text ?? '', new RegExp(`${taskId} failed \\(exit code 3\\)`));
  assert.deepEqual(notesIn(told), nothing);
  const reminding = await call('tasks');
  assert.deepEqual([riderIdsIn(reminding), notesIn(reminding)], [[], { again: [], reminders: [taskId] }]);
  assert.equal(await pending(), 1);
  const last = await call('tasks');
  assert.deepEqual([riderIdsIn(last), notesIn(last)], [[], nothing]);
  assert.equal(await pending(), 0);
});

test('over HTTP there is no reminder of an end that the client confirms', async () => {
  await using world = new World();
  const { server, call, taskId, pending } = await begin(world);
  await using _server = server;
  await call('wait', { task: taskId });
  const next = await call('tasks', {}, { 'outlive/received': [taskId] });
  assert.deepEqual([riderIdsIn(next), notesIn(next)], [[], nothing]);
  assert.equal(await pending(), 0);
});

test('an end that was told before a restart of the server is told again, in full and marked', async () => {
  await using world = new World();
  const { server, call, taskId, pending } = await begin(world);
  await call('wait', { task: taskId });
  await server.close();
  await using next = await startHttp(world);
  const again = (await post(next.url, 'tools/call', {
    name: 'tasks',
    arguments: {},
  })) as unknown as ToolResult;
  assert.deepEqual([riderIdsIn(again), notesIn(again).again], [[taskId], [taskId]]);
  assert.equal(await pending(), 1);
});

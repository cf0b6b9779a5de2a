import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { McpProcess } from '../support/mcp-process.ts';
import { World } from '../support/world.ts';

const updated = 'notifications/resources/updated';

async function runningTask(server: McpProcess, world: World): Promise<string> {
  writeFileSync(`${world.base}/in`, 'first\n');
  const command = `tail -n +1 -f ${world.base}/in`;
  return (await server.call('run', { command, wait_ms: 0 })).structuredContent.task.taskId;
}

async function read(server: McpProcess, uri: string): Promise<string> {
  const { contents } = await server.request('resources/read', { uri });
  return (contents as { text: string }[])[0]?.text ?? '';
}

for (const generation of [1, 2] as const) {
  test(`generation ${generation}: a task and its output are resources, and a subscriber is told of changes`, async () => {
    await using world = new World();
    await using server = await McpProcess.start(world, { generation, session: 's' });
    if (generation === 2)
      server.send('subscriptions/listen', { notifications: { resourcesListChanged: true } });
    const taskId = await runningTask(server, world);
    await server.notified('notifications/resources/list_changed');
    const [task, output] = [`outlive://tasks/${taskId}`, `outlive://tasks/${taskId}/output`];
    const { resources } = await server.request('resources/list');
    assert.deepEqual(
      (resources as { uri: string }[]).map(({ uri }) => uri),
      [task, output],
    );
    if (generation === 1)
      for (const uri of [task, output]) await server.request('resources/subscribe', { uri });
    else server.send('subscriptions/listen', { notifications: { resourceSubscriptions: [task, output] } });
    if (generation === 2) {
      await server.notified('notifications/subscriptions/acknowledged', (params) =>
        JSON.stringify(params).includes(output),
      );
    }
    appendFileSync(`${world.base}/in`, 'second\n');
    await server.notified(updated, ({ uri }) => uri === output);
    assert.equal(await read(server, output), 'first\nsecond\n');
    assert.equal(JSON.parse(await read(server, task)).status, 'running');
    await server.call('kill', { task: taskId, grace_ms: 0 });
    await server.notified(updated, ({ uri }) => uri === task);
    assert.equal(JSON.parse(await read(server, task)).status, 'killed');
  });
}

test('a resource of another session, or of nobody, is not found', async () => {
  await using world = new World();
  const other = await (await world.session('other')).spawn('sleep 1000');
  await using server = await McpProcess.start(world, { session: 's' });
  const uris = [
    other.id,
    `${other.id}/output`,
    'bgb-00000000',
    '../../etc/passwd',
    'bgb-00000000/output/x',
    '',
  ];
  for (const uri of uris.map((path) => `outlive://tasks/${path}`)) {
    const { error } = await server.ask('resources/read', { uri });
    assert.equal(error?.code, -32602, uri);
  }
});

import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { McpProcess } from '../../support/mcp-process.ts';
import { World } from '../../support/world.ts';

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
    const taskId = await runningTask(server, world);
    const [task, output] = [`outlive://tasks/${taskId}`, `outlive://tasks/${taskId}/output`];
    const { resourceTemplates } = await server.request('resources/templates/list');
    assert.deepEqual(
      (resourceTemplates as { uriTemplate: string }[]).map(({ uriTemplate }) => uriTemplate),
      ['outlive://tasks/{taskId}', 'outlive://tasks/{taskId}/output'],
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
    // What a client puts in front of its model stays as it is, whatever runs.
    assert.deepEqual((await server.request('resources/list')).resources, []);
    assert.ok(!server.notifications.some(({ method }) => method?.endsWith('list_changed')));
  });
}

test('a subscriber is told when other processes end a task, remove one or write output', async () => {
  await using world = new World();
  const session = await world.session('s');
  const task = await session.spawn(`until [ -e ${world.base}/go ]; do sleep 0.01; done; echo on; sleep 1000`);
  await using server = await McpProcess.start(world, { generation: 1, session: 's' });
  const { task: old } = await session.run('true');
  const ended = `outlive://tasks/${old.id}`;
  const [own, output] = [`outlive://tasks/${task.id}`, `outlive://tasks/${task.id}/output`];
  for (const uri of [own, output, ended]) await server.request('resources/subscribe', { uri });
  writeFileSync(`${world.base}/go`, '');
  await server.notified(updated, ({ uri }) => uri === output);
  assert.equal(await read(server, output), 'on\n');
  await task.kill({ graceMs: 0 });
  await server.notified(updated, ({ uri }) => uri === own);
  assert.equal(JSON.parse(await read(server, own)).status, 'killed');
  await session.prune({ olderThanMs: 0 });
  await server.notified(updated, ({ uri }) => uri === ended);
  assert.equal((await server.ask('resources/read', { uri: ended })).error?.code, -32602);
});

test('a resource of another session is found by its id, like its task; an unknown one is not found', async () => {
  await using world = new World();
  const other = await (await world.session('other')).spawn('sleep 1000');
  await using server = await McpProcess.start(world, { session: 's' });
  const uris = ['bgb-000000000000', '../../etc/passwd', 'bgb-000000000000/output/x', ''];
  for (const uri of uris.map((path) => `outlive://tasks/${path}`)) {
    const { error } = await server.ask('resources/read', { uri });
    assert.equal(error?.code, -32602, uri);
  }
  const { contents } = await server.request('resources/read', { uri: `outlive://tasks/${other.id}` });
  assert.match(JSON.stringify(contents), /running|starting/);
});

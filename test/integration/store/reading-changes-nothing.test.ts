import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { diagnose, OutliveError, openStore, type Store } from '../../../src/index.ts';
import { McpProcess } from '../../support/mcp-process.ts';
import { everything, tidied, type Untidy, untidy } from '../../support/untidy.ts';
import { quote, World, waitFor } from '../../support/world.ts';

type Reading = (store: Store, found: Untidy) => Promise<unknown>;

/** Everything by which a store is read. */
const readings: Readonly<Record<string, Reading>> = {
  sessions: async (store) => store.sessions(),
  tasks: async (store) => await store.tasks(),
  'tasks of a session': async (store) => await store.tasks({ sessionId: 'left', live: true }),
  eachTask: async (store) => {
    for await (const task of store.eachTask()) assert.ok(task.createdAt > 0);
  },
  'task().snapshot of each': async (store, found) =>
    Object.values(found).map((id) => store.task(id).snapshot()),
  find: async (store, { done }) => [store.find('done', 'test'), store.find(done.slice(0, 9), 'test')],
  inspect: async (store, found) => await Promise.all(Object.values(found).map((id) => store.inspect(id))),
  usage: async (store, { running }) => await store.usage([running]),
  meter: async (store) => await store.tasks({ meter: await store.meter() }),
  'prune({ dryRun })': async (store) => await store.prune({ dryRun: true, olderThanMs: 0, maxBytes: 0 }),
  pending: async (store) => [await store.pending('test'), await store.pending('left')],
  followPending: async (store, { pending }) => {
    for await (const { taskId } of store.followPending('test')) if (taskId === pending) return taskId;
    return null;
  },
  watch: async (store) => {
    // Longer than a gathering and a beat.
    const abortSignal = AbortSignal.timeout(1_500);
    const types = [];
    for await (const { type } of store.watch({ previewBytes: 100, usage: true, abortSignal }))
      types.push(type);
    assert.equal(types[0], 'snapshot');
  },
  'task().snapshot': async (store, { queued }) => store.task(queued).snapshot(),
  'task().read': async (store, { running }) => await store.task(running).read({ offset: 3 }),
  'task().tail': async (store, { unsettled }) => await store.task(unsettled).tail({ maxBytes: 10 }),
  'task().follow': async (store, { unsettled }) => {
    for await (const chunk of store.task(unsettled).follow()) assert.ok(chunk.size > 0);
  },
  'task().waitFor the end': async (store, { unsettled }) => await store.task(unsettled).waitFor({}),
  'task().waitFor a pattern': async (store, { running }) =>
    await store.task(running).waitFor({ pattern: 'running' }),
  'task().waitFor too long': async (store, { running }) =>
    await store.task(running).waitFor({ pattern: 'never', idleMs: 3_600_000, timeoutMs: 50 }),
  'task().watch': async (store, { pending }) => {
    for await (const match of store.task(pending).watch('pending')) assert.equal(match.line, 'pending');
  },
  'task().watches': async (store, { pending }) => store.task(pending).watches(),
};

for (const readOnly of [true, false]) {
  const how = readOnly ? 'a store that was opened to read' : 'an open store';
  test(`${how} is read, and nothing in it changes, whatever work is pending`, async () => {
    await using world = new World();
    const found = await untidy(world);
    const store = await world.store({ readOnly });
    const before = everything(world.dir);
    for (const [what, read] of Object.entries(readings)) {
      await read(store, found);
      assert.deepEqual(everything(world.dir), before, what);
    }
    await store.close();
    await diagnose({ dir: world.dir });
    assert.deepEqual(everything(world.dir), before, 'diagnose()');
    await tidied(world, found);
  });
}

test('a store that was opened read-only says what it cannot do', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('true');
  await session.close();
  const store = await world.store({ readOnly: true });
  const refused = { name: 'OutliveError', code: 'STORE_UNWRITABLE', message: /opened to read/ };
  await assert.rejects(store.session('test'), refused);
  await assert.rejects(store.prune(), refused);
  await assert.rejects(store.pending(''), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => store.task('bgb-000000000000'), { code: 'TASK_NOT_FOUND' });
  assert.throws(() => store.task('../x'), { code: 'TASK_NOT_FOUND' });
  assert.equal(store.task(task.id).sessionId, 'test');
});

test('a missing folder is an empty store for a read-only process, and is not made', async () => {
  await using world = new World();
  const store = await world.store({ readOnly: true });
  assert.deepEqual([store.sessions(), await store.tasks(), await store.pending('x')], [[], [], []]);
  assert.throws(() => store.task('bgb-000000000000'), OutliveError);
  assert.deepEqual(await store.prune({ dryRun: true }), { taskIds: [], bytes: 0, kept: [] });
  assert.ok(!existsSync(world.dir));
  // It is seen when somebody makes it.
  const { task } = await (await world.session()).run('exit 3');
  assert.equal(store.task(task.id).snapshot().exitCode, 3);
});

test('a read-only process sees the end of a running task, and is told of it once', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const task = await session.spawn(
    `echo begin; until [ -e ${quote(go)} ]; do sleep 0.02; done; echo end; exit 6`,
  );
  const store = await world.store({ readOnly: true });
  const reader = store.task(task.id);
  const told: string[] = [];
  const over = new AbortController();
  const following = (async () => {
    for await (const end of store.followPending('test', { abortSignal: over.signal })) told.push(end.taskId);
  })();
  const [waited, read] = [reader.waitFor({}), textOf(reader.follow())];
  const matched = reader.waitFor({ pattern: 'end' });
  writeFileSync(go, '');
  assert.equal((await matched).match?.line, 'end');
  const { cause, snapshot } = await waited;
  assert.deepEqual([cause, snapshot.status, snapshot.exitCode], ['exit', 'failed', 6]);
  assert.equal(await read, 'begin\nend\n');
  await waitFor(() => told.length > 0, 'the end to be told');
  // What others append afterwards is no other end.
  await session.task(task.id).ack();
  await (await session.spawn('exit 7')).wait({ ack: false });
  await waitFor(() => told.length > 1, 'the next end');
  over.abort();
  await following;
  assert.equal(told[0], task.id);
  assert.equal(told.length, 2);
});

async function textOf(chunks: AsyncIterable<{ readonly text: string }>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.text;
  return text;
}

/** The tools and resources by which an agent reads, each called; what they answered. */
async function readAll(server: McpProcess, taskId: string): Promise<string> {
  const answers: unknown[] = [
    await server.call('tasks', { all: true }),
    await server.call('output', { task: taskId }),
    await server.call('output', { task: taskId, offset: 2 }),
    await server.call('wait', { task: taskId }),
    await server.call('wait', { timeout_ms: 0 }),
    await server.request('resources/list'),
    await server.request('resources/templates/list'),
    await server.request('resources/read', { uri: `outlive://tasks/${taskId}` }),
    await server.request('resources/read', { uri: `outlive://tasks/${taskId}/output` }),
    await server.request('tools/list'),
  ];
  return JSON.stringify(answers).replace(/"(?:runMs|durationMs)":\d+|after \d+ ?ms/g, '');
}

test('the reading tools and the resources of the MCP server change nothing and make no session', async () => {
  await using world = new World();
  const session = await world.session('s');
  const { task } = await session.run('echo hello; exit 3');
  await session.close();
  const before = everything(world.dir);
  await using server = await McpProcess.start(world, { session: 's' });
  const answers = await readAll(server, task.id);
  assert.match(answers, /hello/);
  assert.deepEqual(everything(world.dir), before);
  await using another = await McpProcess.start(world, { session: 'new' });
  assert.match(JSON.stringify(await another.call('tasks', { all: true })), /There are no tasks/);
  await another.call('wait');
  await another.request('resources/list');
  assert.deepEqual(everything(world.dir), before);
});

test('the reading tools and the resources work with a read-only store, too', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello; exit 3');
  await session.close();
  await using server = await McpProcess.start(world, { session: 'test' });
  const expected = await readAll(server, task.id);
  const path = quote(world.dir);
  const mount = `mount --bind ${path} ${path} && mount -o remount,bind,ro ${path}`;
  await using restricted = await McpProcess.start(world, {
    session: 'test',
    before: ['unshare', '--mount', 'sh', '-c', `${mount} && exec "$@"`, 'sh'],
  });
  const withoutAges = (text: string): string => text.replaceAll(/\([^()]* ago/g, '(ago');
  assert.equal(withoutAges(await readAll(restricted, task.id)), withoutAges(expected));
});

test('an open store without writes leaves no file behind', async () => {
  await using world = new World();
  await (await openStore({ dir: world.dir })).close();
  const before = everything(world.dir);
  await using store = await openStore({ dir: world.dir });
  await store.tasks();
  assert.deepEqual(everything(world.dir), before);
});

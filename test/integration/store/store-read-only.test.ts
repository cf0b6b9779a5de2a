import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removedLog } from '../../../src/tasklog/paths.ts';
import { Agent } from '../../support/agents.ts';
import { listing } from '../../support/listing.ts';
import { readOnly } from '../../support/namespaces.ts';
import { World } from '../../support/world.ts';

test('a store that cannot be written starts nothing and says why; what is in it can be listed and read', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('echo hello; exit 3');
  const pending = await session.spawn('echo pending');
  await pending.wait({ ack: false });
  await session.close();
  const before = listing(world.dir);

  await using agent = await Agent.start(world.dir, { before: readOnly(world.dir) });
  const ran = join(world.base, 'ran');
  const found = await agent.run(
    async ({ session: here, store }, { path, id }) => {
      const errors: { code: string; message: string }[] = [];
      const refused = (error: { code: string; message: string }) => {
        errors.push({ code: error.code, message: error.message });
      };
      await here.spawn(`touch ${path}`).catch(refused);
      await (await store.session('new')).spawn(`touch ${path}`).catch(refused);
      await here.prune({ olderThanMs: 0 }).catch(refused);
      const listed = (await here.tasks()).map(({ taskId, exitCode }) => [taskId, exitCode]);
      const text = (await here.task(id).read()).text;
      const tail = (await here.task(id).tail()).text;
      const { exitCode } = await here.task(id).wait();
      const pending = (await here.pending()).map(({ taskId }) => taskId);
      const everywhere = (await store.tasks()).length;
      return { errors, listed, text, tail, exitCode, pending, everywhere, sessions: store.sessions() };
    },
    { path: ran, id: task.id },
  );
  const { errors, ...rest } = found;
  assert.deepEqual(
    errors.map(({ code }) => code),
    ['STORE_UNWRITABLE', 'STORE_UNWRITABLE', 'STORE_UNWRITABLE'],
  );
  assert.match(errors[2]?.message ?? '', new RegExp(`The task ${task.id} was not removed\\.`));
  assert.match(errors[0]?.message ?? '', /read-only/);
  assert.deepEqual(rest, {
    listed: [
      [task.id, 3],
      [pending.id, 0],
    ],
    text: 'hello\n',
    tail: 'hello\n',
    exitCode: 3,
    pending: [pending.id],
    everywhere: 2,
    sessions: ['test'],
  });
  assert.ok(!existsSync(ran));
  assert.deepEqual(listing(world.dir), before);
});

test('an interrupted removal in a read-only store stays as it is, without a warning', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn('true', { key: 'build' });
  await task.wait();
  await session.close();
  const paths = world.sessionOf(task.id);
  // What a process leaves that dies as soon as it has begun to remove a task.
  mkdirSync(paths.tasks, { recursive: true });
  renameSync(world.logOf(task.id), removedLog(paths, task.id));
  const before = listing(world.dir);

  await using agent = await Agent.start(world.dir, { sessionId: 'other', before: readOnly(world.dir) });
  const found = await agent.run(async ({ store }) => {
    const warnings: string[] = [];
    const heard = Symbol.for('outlive.test.warnings');
    Object.assign(globalThis, { [heard]: (text: string) => warnings.push(text) });
    return { tasks: await (await store.session('test')).tasks(), warnings };
  });
  assert.deepEqual(found, { tasks: [], warnings: [] });
  assert.deepEqual(listing(world.dir), before);
});

test('a store cannot be made on a read-only disk', async () => {
  await using world = new World();
  await using own = new World();
  await using agent = await Agent.start(own.dir, { before: readOnly(world.base) });
  const error = await agent.run(
    async ({ openStore }, dir: string) =>
      await openStore({ dir }).then(
        () => null,
        ({ code, message }) => ({ code, message }),
      ),
    world.dir,
  );
  assert.equal(error?.code, 'STORE_UNWRITABLE');
  assert.deepEqual(listing(world.base), []);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { quote, World, waitFor } from '../../support/world.ts';

/** Makes mounts that an agent alone sees, and whoever enters his namespace. */
const mounting = (script: string): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-c',
  `${script} && exec "$@"`,
  'sh',
];

test('tasks that were in the lower layer of an overlay are acknowledged and removed there, and new ones run', async (t) => {
  await using world = new World();
  const disk = join(world.base, 'disk');
  mkdirSync(disk);
  const layers = `lowerdir=${disk}/lower,upperdir=${disk}/upper,workdir=${disk}/work`;
  const folders = ['lower', 'upper', 'work', 'merged'].map((name) => quote(join(disk, name))).join(' ');
  const tmpfs = `mount -t tmpfs none ${quote(disk)} && mkdir ${folders}`;
  const overlay = `mount -t overlay overlay -o ${quote(layers)} ${quote(join(disk, 'merged'))}`;
  const [program = '', ...rest] = mounting(`${tmpfs} && ${overlay}`);
  if (spawnSync(program, [...rest, 'true']).status !== 0) {
    t.diagnostic('NOT TRIED: this kernel mounts no overlay here');
    return;
  }
  await using image = await Agent.start(join(disk, 'lower', 'store'), { before: mounting(tmpfs) });
  const ids = await image.run(async ({ session }) => {
    const tasks = [await session.spawn('exit 3'), await session.spawn('echo kept')];
    for (const task of tasks) await task.wait({ ack: false });
    return tasks.map(({ id }) => id);
  });
  const enter = ['nsenter', '--target', String(image.pid), '--mount'];
  const before = [...enter, 'sh', '-c', `${overlay} && exec "$@"`, 'sh'];
  await using agent = await Agent.start(join(disk, 'merged', 'store'), { before });
  await using other = await Agent.start(join(disk, 'merged', 'store'), { before: enter });
  await other.takeCompletions();
  await waitFor(async () => (await other.taken()).length === 2, 'what the image owes');
  const found = await agent.run(async ({ session }, all) => {
    const text = (await session.task(all[1] ?? '').tail()).text;
    const pending = (await session.pending()).length;
    const { taskIds } = await session.prune({ olderThanMs: 0 });
    const stopped = await (await session.spawn('sleep 300')).kill({ graceMs: 500, ack: false });
    return {
      text,
      pending,
      status: stopped.status,
      pruned: [...taskIds].sort(),
      left: (await session.tasks()).length,
    };
  }, ids);
  assert.deepEqual(found, { text: 'kept\n', pending: 0, status: 'killed', pruned: ids.sort(), left: 1 });
  await waitFor(async () => (await other.taken()).length === 3, 'the end of what was stopped');
  const spawned = await agent.run(async ({ session }) => (await session.spawn('exit 6')).id);
  await waitFor(async () => (await other.taken()).length === 4, 'the end in the other process');
  const [last] = (await other.taken()).slice(-1);
  assert.deepEqual([last?.taskId, last?.exitCode, last?.first], [spawned, 6, true]);
});

test('a store that two processes reach by two paths, one a bind mount, is one store', async () => {
  await using world = new World();
  const [real, bound] = [join(world.base, 'real'), join(world.base, 'bound')];
  for (const folder of [real, bound]) mkdirSync(folder);
  await using agent = await Agent.start(join(real, 'store'));
  await using other = await Agent.start(join(bound, 'store'), {
    before: mounting(`mount --bind ${quote(real)} ${quote(bound)}`),
  });
  await other.takeCompletions();
  const [ended = '', running = ''] = await agent.run(async ({ session }) => [
    (await session.spawn('echo hello; exit 3')).id,
    (await session.spawn('sleep 300')).id,
  ]);
  await waitFor(async () => (await other.taken()).length === 1, 'the end, by the other path');
  const seen = await other.run(
    async ({ session }, [first = '', second = '']) => ({
      text: (await session.task(first).tail()).text,
      status: (await session.task(second).kill({ graceMs: 500 })).status,
    }),
    [ended, running],
  );
  assert.deepEqual(seen, { text: 'hello\n', status: 'killed' });
  const after = await agent.run(({ session }, id) => session.task(id).snapshot().status, running);
  assert.equal(after, 'killed');
});

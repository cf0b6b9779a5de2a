import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { notOnWindows } from '../support/not-on-windows.ts';
import { World, waitFor } from '../support/world.ts';

test(
  'output that was replaced by a symbolic link or a pipe is neither followed nor waited for',
  notOnWindows('a pipe is no file there, and links need a privilege'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const precious = join(world.base, 'precious');
    writeFileSync(precious, 'not for you\n');
    const { task, snapshot } = await session.run('echo hello');
    rmSync(snapshot.output.path);
    symlinkSync(precious, snapshot.output.path);
    const reads = async () => [(await task.read()).text, (await task.tail()).text];
    assert.deepEqual(await reads(), ['', '']);
    assert.equal(task.snapshot().output.preview, '');
    for await (const chunk of task.follow()) assert.fail(chunk.text);
    rmSync(snapshot.output.path);
    execFileSync('mkfifo', [snapshot.output.path]);
    assert.deepEqual(await reads(), ['', '']);
    rmSync(snapshot.output.path);
    assert.deepEqual(await reads(), ['', '']);
    assert.equal(task.snapshot().exitCode, 0);
  },
);

test('removing a task whose output is a symbolic link leaves what it leads to', async () => {
  await using world = new World();
  const session = await world.session('test', { retentionMs: null });
  const precious = join(world.base, 'precious');
  writeFileSync(precious, 'mine\n');
  const { snapshot } = await session.run('echo hello');
  rmSync(snapshot.output.path);
  symlinkSync(precious, snapshot.output.path);
  const pruned = async () => (await session.prune({ olderThanMs: 0 })).taskIds.length === 1;
  await waitFor(pruned, 'the removal');
  assert.equal(readFileSync(precious, 'utf8'), 'mine\n');
});

test('a session whose record is garbage can be opened again, and other sessions are not touched', async () => {
  await using world = new World();
  const store = await world.store();
  const { task } = await (await store.session('one')).run('exit 3');
  await (await store.session('two')).run('exit 4');
  await store.close();
  writeFileSync(join(dirname(dirname(world.logOf(task.id))), 'session.json'), 'garbage');
  const later = await world.store();
  assert.deepEqual(later.sessions(), ['two']);
  assert.equal((await later.tasks()).length, 1);
  assert.equal((await (await later.session('one')).tasks())[0]?.exitCode, 3);
  assert.deepEqual(later.sessions(), ['one', 'two']);
});

test('files and folders that do not belong into a store do not disturb it', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('exit 3');
  await session.close();
  const tasks = dirname(world.logOf(task.id));
  writeFileSync(join(tasks, 'notes.txt'), 'x');
  writeFileSync(join(tasks, 'bgb-XYZ.jsonl'), 'x');
  mkdirSync(join(tasks, 'bgb-00000000'));
  mkdirSync(join(world.dir, 'sessions', 'empty'));
  writeFileSync(join(world.dir, 'sessions', 'file'), 'x');
  const store = await world.store();
  assert.deepEqual(store.sessions(), ['test']);
  assert.deepEqual(
    (await store.tasks()).map(({ taskId }) => taskId),
    [task.id],
  );
  assert.equal((await (await store.session('test')).run('exit 4')).snapshot.exitCode, 4);
});

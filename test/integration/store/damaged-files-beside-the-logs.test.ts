import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSessionRecord } from '../../../src/tasklog/records.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { letRetentionBeDue } from '../../support/retention.ts';
import { World, waitFor } from '../../support/world.ts';

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
    // It may be told that what was there is gone.
    for await (const chunk of task.follow()) assert.equal(chunk.text, '');
    rmSync(snapshot.output.path);
    execFileSync('mkfifo', [snapshot.output.path]);
    assert.deepEqual(await reads(), ['', '']);
    rmSync(snapshot.output.path);
    assert.deepEqual(await reads(), ['', '']);
    assert.equal(task.snapshot().exitCode, 0);
  },
);

test('removing a task whose output is a symbolic link does not remove the target', async () => {
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

test('a session whose record is garbage is recognized by its tasks, and its record is written again', async () => {
  await using world = new World();
  const store = await world.store();
  const { task } = await (await store.session('one')).run('exit 3');
  await (await store.session('two')).run('exit 4');
  await store.close();
  const record = world.sessionOf(task.id).record;
  writeFileSync(record, 'garbage');
  const later = await world.store();
  assert.deepEqual(later.sessions(), ['one', 'two']);
  assert.equal((await later.tasks()).length, 2);
  assert.equal((await (await later.session('one')).tasks())[0]?.exitCode, 3);
  assert.equal(parseSessionRecord(readFileSync(record, 'utf8'))?.sessionId, 'one');
});

test('foreign files and folders in a store do not disturb it', async () => {
  await using world = new World();
  const session = await world.session();
  const { task } = await session.run('exit 3');
  await session.close();
  const { tasks } = world.sessionOf(task.id);
  writeFileSync(join(tasks, 'notes.txt'), 'x');
  writeFileSync(join(tasks, 'bgb-XYZ.jsonl'), 'x');
  mkdirSync(join(tasks, 'bgb-000000000000'));
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

/** Cut to 32 bits, these mean a group, all processes, and the first one; half a process there is not. */
const pidsOfNobody = [2_151_677_942, 2 ** 32 - 1, 2 ** 32 + 1, 1.5, -1];

test('impossible pids in records and in file names mean no process', async (t) => {
  await using world = new World();
  const session = await world.session();
  const { task, snapshot } = await session.run('echo kept; exit 3');
  await session.close();
  const signalled = t.mock.method(process, 'kill');
  const log = world.logOf(task.id);
  const { tasks } = world.sessionOf(task.id);
  const [spec = ''] = readFileSync(log, 'utf8').split('\n').filter(Boolean);
  const by = JSON.parse(spec).by as object;
  for (const [index, pid] of pidsOfNobody.entries()) {
    const [taskId, author] = [`bgb-00000000000${index}`, { ...by, pid }];
    const facts = [
      { ...JSON.parse(spec), taskId, file: undefined },
      { fact: 'started', pid, start: null, shimPid: pid, shimStart: null, at: Date.now() },
      { fact: 'stop', cause: 'kill', id: 'forged', by: author, at: Date.now(), graceMs: 0 },
      { fact: 'claim', id: 'forged', by: author },
      { fact: 'left', processes: [{ pid, command: 'nobody', start: null }] },
    ];
    writeFileSync(join(tasks, `${taskId}.jsonl`), facts.map((fact) => `${JSON.stringify(fact)}\n`).join(''));
  }
  const cut = `${snapshot.output.path}.9999999999-1.cut`;
  writeFileSync(cut, '');
  letRetentionBeDue(world.dir);
  const again = await world.session();
  await waitFor(async () => (await again.pending()).length === pidsOfNobody.length, 'all ends');
  for (const { taskId, leftovers } of await again.tasks()) {
    assert.deepEqual(leftovers, []);
    await again.task(taskId).kill({ graceMs: 0 });
  }
  await waitFor(() => !existsSync(cut), 'the cut of nobody to go');
  for (const {
    arguments: [pid],
  } of signalled.mock.calls)
    assert.ok(!pidsOfNobody.includes(Math.abs(Number(pid))), `a signal to ${pid}`);
});

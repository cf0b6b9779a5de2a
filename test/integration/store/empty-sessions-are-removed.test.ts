import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeIfEmpty } from '../../../src/engine/store/empty-session.ts';
import { makeSessionFolders } from '../../../src/engine/store/session-folder.ts';
import { sessionPaths } from '../../../src/tasklog/paths.ts';
import { Agent } from '../../support/agents.ts';
import { Taker } from '../../support/completions.ts';
import { costOf } from '../../support/counted.ts';
import { untilStarted } from '../../support/ready.ts';
import { letRetentionBeDue } from '../../support/retention.ts';
import { builtShim } from '../../support/shim.ts';
import { quote, World, waitFor } from '../../support/world.ts';

const sessionFolders = (world: World): string[] =>
  world.files().filter((path) => /^\/sessions\/[^/]+$/.test(path));

test('a session is made with its first task, and removed with its last one', async () => {
  await using world = new World();
  const session = await world.session('one');
  const store = await world.store({ readOnly: true });
  assert.deepEqual([sessionFolders(world), store.sessions()], [[], []]);
  const { task } = await session.run('exit 3');
  assert.deepEqual([sessionFolders(world).length, store.sessions()], [1, ['one']]);
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [task.id]);
  assert.deepEqual([sessionFolders(world), store.sessions()], [[], []]);
  // The session is open, and goes on.
  assert.equal((await session.run('exit 4', { separate: true })).snapshot.exitCode, 4);
  assert.deepEqual(store.sessions(), ['one']);
});

test('a process that has the session open sees what others spawn in it afterwards', async () => {
  await using world = new World();
  const session = await world.session();
  await using taker = new Taker(session);
  await using agent = await Agent.start(world.dir);
  for (let count = 1; count <= 3; count += 1) {
    const id = await agent.run(async ({ session }) => (await session.spawn('exit 5')).id);
    await waitFor(() => taker.ids.includes(id), 'the end to be told');
    await taker.taken.at(-1)?.ack();
    assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, [id]);
    assert.deepEqual(sessionFolders(world), []);
  }
});

test('going through a store removes sessions without tasks, and nothing else', async () => {
  await using world = new World();
  const { task } = await (await world.session('used')).run('true');
  const folders = (id: string) => sessionPaths(world.dir, id);
  for (const id of ['empty', 'noted', 'half', 'halves']) makeSessionFolders(folders(id), id);
  writeFileSync(join(folders('noted').dir, 'notes.txt'), 'mine');
  // What is left of removals that were broken off.
  rmdirSync(folders('half').tasks);
  for (const path of [folders('halves').tasks, folders('halves').output]) rmdirSync(path);
  unlinkSync(folders('halves').record);
  const foreign = join(world.dir, 'sessions', 'of somebody');
  mkdirSync(foreign);
  writeFileSync(folders('empty').record, 'garbage');
  letRetentionBeDue(world.dir);
  await world.session('another');
  const gone = ['empty', 'half', 'halves'].map((id) => folders(id).dir);
  await waitFor(() => gone.every((dir) => !existsSync(dir)), 'sessions without tasks to go');
  assert.ok(existsSync(join(folders('noted').dir, 'notes.txt')) && existsSync(foreign));
  assert.ok(existsSync(world.logOf(task.id)));
});

test('a session with a task of any kind stays', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const running = await session.spawn('sleep 1000');
  await untilStarted(world, running.id);
  const queued = await session.spawn('true', { onLimit: 'queue' });
  const { paths } = { paths: sessionPaths(world.dir, 'test') };
  assert.equal(removeIfEmpty(paths), false);
  await Promise.all([running.kill({ graceMs: 0 }), queued.kill()]);
  assert.equal(removeIfEmpty(paths), false);
  rmSync(world.logOf(queued.id));
  rmSync(world.logOf(running.id));
  // Outputs of nobody are swept when they are old.
  assert.equal(removeIfEmpty(paths), false);
  assert.ok(existsSync(paths.output));
});

test('3,500 sessions without tasks are removed without blocking the event loop', async () => {
  await using world = new World();
  for (let count = 0; count < 500; count += 1) {
    const { tasks, output } = sessionPaths(world.dir, `session ${count}`);
    for (const path of [tasks, output]) mkdirSync(path, { recursive: true });
  }
  const { turns } = await costOf(async () => {
    const session = await world.session('test');
    await waitFor(() => readdirSync(join(world.dir, 'sessions')).length === 0, 'all to be gone', 60_000);
    assert.equal((await session.run('exit 3')).snapshot.exitCode, 3);
  });
  assert.ok(turns > 20, `${turns} turns`);
});

test('a task that starts while its session is being removed makes the removed parts again', async () => {
  await using world = new World();
  const go = join(world.base, 'go');
  const program = join(world.base, 'shim');
  // It comes so far when others have gone on.
  writeFileSync(
    program,
    `#!/bin/sh\nif [ -n "$OUTLIVE_REQUEST" ]; then until [ -e ${quote(go)} ]; do sleep 0.01; done; fi\nexec ${quote(builtShim)} "$@"\n`,
  );
  chmodSync(program, 0o755);
  await using agent = await Agent.start(world.dir, { env: { OUTLIVE_SHIM: program } });
  const spawned = agent.run(
    async ({ session }) =>
      (await session.spawn('echo out; echo err >&2; exit 7', { separate: true, name: 'x' })).id,
  );
  await waitFor(() => world.taskIds().length === 1, 'the log');
  const paths = sessionPaths(world.dir, 'test');
  // Somebody found the session without tasks, and was stopped for a while before these steps.
  rmdirSync(paths.output);
  unlinkSync(paths.record);
  const store = await world.store({ readOnly: true });
  assert.equal(removeIfEmpty(paths), false);
  writeFileSync(go, '');
  const id = await spawned;
  await waitFor(() => store.task(id).snapshot().endedAt !== null, 'the end');
  const { exitCode, sessionId, spawnError } = store.task(id).snapshot();
  assert.deepEqual([exitCode, sessionId, spawnError], [7, 'test', null]);
  const textOf = async (stream: 'stdout' | 'stderr') => (await store.task(id).tail({ stream })).text;
  assert.deepEqual([await textOf('stdout'), await textOf('stderr')], ['out\n', 'err\n']);
  assert.deepEqual(store.sessions(), ['test']);
  assert.equal(store.find('x', 'test').taskId, id);
  // Whoever opens the session to write, or goes through the store, writes the record again.
  assert.ok(!existsSync(paths.record));
  await world.session('test');
  assert.ok(existsSync(paths.record));
  unlinkSync(paths.record);
  letRetentionBeDue(world.dir);
  await world.session('other');
  await waitFor(() => existsSync(paths.record), 'the record');
});

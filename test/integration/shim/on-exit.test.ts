import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Session, SpawnOptions, Task } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { notedBy, notingHook, untilHooked } from '../../support/hooks.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { untilPrinted, untilStarted } from '../../support/ready.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** A task that ends in some way, and what brings that about. */
type Ending = readonly [
  name: string,
  command: string,
  options?: SpawnOptions,
  act?: (task: Task, session: Session, world: World) => Promise<unknown>,
];

const forever = 'echo ready; exec sleep 60';

const endings: readonly Ending[] = [
  ['success', 'true'],
  ['a code', 'exit 7'],
  ['a signal', 'kill -SEGV $$'],
  ['a command that is not there', 'nosuchcommand'],
  ['a pipeline that hides a failure', 'false | true'],
  ['a kill', forever, {}, killReady],
  ['a kill that is handled', 'trap "exit 9" TERM; echo ready; sleep 60 & wait', {}, killReady],
  ['a kill that is not heeded', fixture('ignores-sigterm.sh'), { graceMs: 50 }, killReady],
  ['a timeout', 'sleep 60', { timeoutMs: 100 }],
  ['a timeout that is handled', 'trap "exit 0" TERM; sleep 60 & wait', { timeoutMs: 300 }],
  ['too much output', 'yes', { maxOutputBytes: 10_000 }],
  ['the end of its session', forever, { bindTo: 'session' }, endSession],
  ['leftovers that are reported', 'sleep 0.5 & exit 3'],
  ['leftovers that are killed', 'sleep 60 & exit 3', { leftovers: 'kill', graceMs: 50 }],
  ['leftovers that are waited for', 'sleep 0.2 & exit 3', { leftovers: 'wait' }],
  ['a kill of what is waited for', 'sleep 60 & exit 3', { leftovers: 'wait', graceMs: 50 }, killEnded],
];

async function killReady(task: Task): Promise<void> {
  await untilPrinted(task);
  await task.kill();
}

async function endSession(task: Task, session: Session): Promise<void> {
  await untilPrinted(task);
  await session.end();
}

async function killEnded(task: Task, _session: Session, world: World): Promise<void> {
  await waitFor(() => hasFact(world.logOf(task.id), 'exit'), 'the command to end');
  await task.kill();
}

test('a hook runs once at every end of a task, and is told what the record says about the end', async () => {
  await using world = new World();
  const store = await world.store();
  for (const [name, command, options, act] of endings) {
    rmSync(join(world.base, 'notes'), { force: true });
    const session = await store.session(name);
    const task = await session.spawn(command, { ...options, onExit: notingHook(world) });
    await act?.(task, session, world);
    const { status, exitCode } = await task.wait();
    await untilHooked(world, task);
    assert.deepEqual(notedBy(world), [`${task.id} ${status} [${exitCode ?? ''}]`], name);
    const { onExit } = await store.inspect(task.id);
    assert.deepEqual([onExit?.state, onExit?.exitCode, onExit?.reason], ['ended', 0, null], name);
  }
});

test('a hook of a task that never ran is told so', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test', { maxRunning: 1 });
  const first = await session.spawn(forever);
  const queued = await session.spawn('true', { onLimit: 'queue', onExit: notingHook(world) });
  await waitFor(() => hasFact(world.logOf(queued.id), 'waiting'), 'the shim to wait');
  assert.equal((await store.inspect(queued.id)).onExit?.state, 'waiting');
  assert.equal((await queued.kill()).status, 'killed');
  await untilHooked(world, queued);
  await first.kill();
  // Something stands where the output should be.
  const blocked = await session.spawn('true', { onLimit: 'queue', onExit: notingHook(world) });
  await blocked.wait();
  assert.deepEqual(notedBy(world)[0], `${queued.id} killed []`);
});

test('the hook of a task that was refused a resource is told that the task failed', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const first = await session.spawn(forever);
  const task = await session.spawn('true', { onLimit: 'queue', onExit: notingHook(world) });
  mkdirSync(task.snapshot().output.path);
  await first.kill();
  const { status, statusReason, spawnError } = await task.wait();
  assert.deepEqual([status, statusReason, spawnError], ['failed', 'spawn_aborted', 'EEXIST']);
  await untilHooked(world, task);
  assert.deepEqual(notedBy(world), [`${task.id} failed []`]);
});

test('a hook has the folder and the environment of the command, and its own output', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const cwd = realpathSync(world.base);
  const env = { SECRET: 'a secret', OUTLIVE_STATUS: 'theirs', TMPDIR: null };
  const show = 'pwd; env -u OLDPWD -u SHLVL -u _ | sort';
  const task = await session.spawn(show, { shell: 'sh', cwd, env, onExit: `${show}; echo oops >&2; exit 4` });
  await task.wait();
  await untilHooked(world, task);
  const { onExit, onExitPath } = await store.inspect(task.id);
  assert.deepEqual([onExit?.state, onExit?.exitCode], ['ended', 4]);
  assert.ok(onExitPath !== null);
  assert.equal(statSync(onExitPath).mode & 0o777, 0o600);
  const of = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('OUTLIVE_'));
  const hook = readFileSync(onExitPath, 'utf8');
  const command = (await task.tail()).text;
  assert.match(command, /^SECRET=a secret$/m);
  assert.deepEqual(of(hook), [...of(command).slice(0, -1), 'oops', '']);
  assert.match(hook, /^OUTLIVE_STATUS=completed$/m);
  assert.match(hook, /^OUTLIVE_EXIT_CODE=0$/m);
  assert.match(hook, new RegExp(`^OUTLIVE_TASK_ID=${task.id}$`, 'm'));
  const { cookie } = factOf(world.logOf(task.id), 'spec');
  assert.ok(!hook.includes(cookie), 'it is no process of the task');
  assert.ok(!readFileSync(world.logOf(task.id), 'utf8').includes('a secret'));
});

test('a hook runs in / if the folder of the command is gone', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const cwd = join(world.base, 'gone');
  mkdirSync(cwd);
  const task = await session.spawn('rmdir "$PWD"', { cwd, onExit: 'pwd' });
  await task.wait();
  await untilHooked(world, task);
  const { onExitPath } = await store.inspect(task.id);
  assert.equal(readFileSync(onExitPath ?? '', 'utf8'), '/\n');
});

test('a hook is not a process of its task: it is no leftover, and a stop does not reach it', async () => {
  await using world = new World();
  const store = await world.store();
  const session = await store.session('test');
  const go = join(world.base, 'go');
  const onExit = `${notingHook(world)}; while [ ! -e ${go} ]; do sleep 0.02; done; ${notingHook(world)}`;
  const task = await session.spawn('sleep 60 & exit 0', { onExit });
  const { leftovers } = await task.wait();
  assert.deepEqual(
    leftovers.map(({ command }) => command),
    ['sleep 60'],
  );
  await waitFor(() => notedBy(world).length === 1, 'the hook to run');
  assert.equal((await store.inspect(task.id)).onExit?.state, 'running');
  await task.kill({ killSignal: 'SIGKILL' });
  await waitFor(() => hasFact(world.logOf(task.id), 'gone'), 'the leftover to be gone');
  assert.equal((await store.inspect(task.id)).onExit?.state, 'running');
  // A task is not removed while something of it is to come.
  assert.deepEqual((await session.prune({ olderThanMs: 0 })).taskIds, []);
  await session.spawn(`touch ${go}`).then((other) => other.wait());
  await untilHooked(world, task);
  assert.equal(notedBy(world).length, 2);
  await waitFor(
    async () => (await session.prune({ olderThanMs: 0 })).taskIds.includes(task.id),
    'the removal',
  );
  assert.deepEqual(
    world.files().filter((path) => path.includes(task.id)),
    [],
  );
});

test('a hook runs without a supervisor, when the agent is dead', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const go = join(world.base, 'go');
  const id = await agent.run(
    async ({ session }, { command, onExit }) => (await session.spawn(command, { onExit })).id,
    { command: `while [ ! -e ${go} ]; do sleep 0.02; done; exit 5`, onExit: notingHook(world) },
  );
  await untilStarted(world, id);
  await agent.crash();
  mkdirSync(go);
  await untilHooked(world, { id });
  assert.deepEqual(notedBy(world), [`${id} failed [5]`]);
});

test('a hook may start tasks, which go on when it has ended', async () => {
  await using world = new World();
  const session = await world.session();
  const started = join(world.base, 'started');
  const onExit = `setsid sh -c 'touch ${started}; sleep 0.2; echo late >>${world.base}/notes' & exit 0`;
  const task = await session.spawn('true', { onExit });
  await untilHooked(world, task);
  await waitFor(() => existsSync(started) && notedBy(world).length === 1, 'what the hook has left');
});

test('a hook that is not a text of up to 4 KiB is refused before anything is made', async () => {
  await using world = new World();
  const session = await world.session();
  for (const onExit of ['', 'a\0b', 'x'.repeat(4097), 7, null, ['true']]) {
    const options = { onExit } as unknown as SpawnOptions;
    await assert.rejects(session.spawn('true', options), {
      code: 'INVALID_ARGUMENT',
      message: /expected onExit to be/,
    });
  }
  assert.deepEqual(await session.tasks(), []);
  const task = await session.spawn('true', { onExit: `#${'x'.repeat(4095)}` });
  await untilHooked(world, task);
});

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import type { Session, Task } from '../../../src/index.ts';
import { Agent } from '../../support/agents.ts';
import { factOf, factsOf, hasFact } from '../../support/logs.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { checkOrder, endOf, startOrder, tracing, untilAsleep } from '../../support/queues.ts';
import { refusing, setLock, sharedFiles } from '../../support/seccomp.ts';
import { builtShim } from '../../support/shim.ts';
import { quote, World, waitFor } from '../../support/world.ts';

/** The first in the line, when nobody wakes it, sleeps so long between two looks. */
const untoldMs = 500;

/** Longer than that, on a busy machine too. */
const soonMs = 5_000;

const ENOLCK = 37;
const EINVAL = 22;

test('without a supervisor a queued task starts a moment after a slot is free', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const go = `${world.base}/go`;
  const first = await session.spawn(untilThere(go));
  const rest = await spawnMany(session, 10, 'true');
  await session.close();
  writeFileSync(go, '');
  const logs = [first, ...rest].map(({ id }) => world.logOf(id));
  await waitFor(() => logs.every((log) => hasFact(log, 'exit')), 'all to have run');
  checkOrder(logs);
  assert.equal(
    logs.some((log) => hasFact(log, 'turn')),
    false,
    'nobody has given a turn',
  );
  const gaps = logs.slice(1).map((log, index) => {
    const before = factOf(logs[index] ?? '', 'exit').monoMs ?? 0;
    return (factOf(log, 'started').monoMs ?? 0) - before;
  });
  const [median = 0] = gaps.sort((a, b) => a - b).slice(gaps.length / 2);
  assert.ok(median < untoldMs / 4, `mostly it took ${median} ms`);
});

test('the slot of a killed shim is free at once, and soon taken without a supervisor', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const first = await session.spawn('sleep 1000');
  const [second] = await spawnMany(session, 1, 'true');
  await waitFor(() => hasFact(world.logOf(first.id), 'started'), 'the first to start');
  await untilAsleep(world, second as Task);
  await session.close();
  const killed = performance.now();
  process.kill(factOf(world.logOf(first.id), 'started').shimPid, 'SIGKILL');
  await waitFor(() => hasFact(world.logOf(second?.id ?? ''), 'exit'), 'the second to run');
  assert.ok(performance.now() - killed < soonMs);
});

test('stopped shims at the head of the queue are continued, and so is a stopped shim that has a slot', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const go = `${world.base}/go`;
  const first = await session.spawn(untilThere(go));
  const waiting = await spawnMany(session, 4, 'true');
  const logs = [first, ...waiting].map(({ id }) => world.logOf(id));
  await waitFor(() => logs.every((log) => hasFact(log, 'started') || hasFact(log, 'waiting')), 'all to wait');
  await session.close();
  for (const log of logs.slice(1, 4)) process.kill(factOf(log, 'waiting').pid, 'SIGSTOP');
  // Its command ends, and it does not say so.
  process.kill(factOf(logs[0] ?? '', 'started').shimPid, 'SIGSTOP');
  writeFileSync(go, '');
  await waitFor(() => logs.every((log) => hasFact(log, 'exit')), 'all to have run', 40_000);
  checkOrder(logs);
});

test('each task starts when fewer run than its own limit, whatever the limits of others', async () => {
  await using world = new World();
  const wide = await world.session('test', { maxRunning: 5 });
  const narrow = await world.session('test', { maxRunning: 1 });
  const running = [
    await wide.spawn('sleep 1000'),
    await wide.spawn('sleep 1000'),
    await wide.spawn('sleep 1000'),
  ];
  const [one] = await spawnMany(narrow, 1, 'sleep 1000');
  const [five] = await spawnMany(wide, 1, 'sleep 1000');
  const statuses = (): string[] => [one, five].map((task) => task?.snapshot().status ?? '');
  // The one whose limit is higher does not pass the first in the line.
  for (const task of running.slice(0, 2)) {
    await task.kill({ graceMs: 0 });
    await untilAsleep(world, one as Task);
    assert.deepEqual(statuses(), ['queued', 'queued']);
  }
  await running[2]?.kill({ graceMs: 0 });
  await waitFor(() => statuses().every((status) => status === 'running'), 'both to start');
});

test('several processes that spawn at the same moment do not pass the limit together', async () => {
  await using world = new World();
  const agents = await Promise.all(
    Array.from({ length: 4 }, () => Agent.start(world.dir, { session: { maxRunning: 3 } })),
  );
  try {
    const answers = await Promise.all(
      agents.map((agent) =>
        agent.run(async ({ session }) => {
          const spawns = Array.from({ length: 4 }, () => session.spawn('sleep 1000'));
          const settled = await Promise.allSettled(spawns);
          return settled.map((one) => (one.status === 'fulfilled' ? 'started' : one.reason.code));
        }),
      ),
    );
    const all = answers.flat();
    assert.deepEqual([...new Set(all)].sort(), ['TASK_LIMIT', 'started']);
    // Two that try at the same moment may see each other, and both be refused.
    assert.ok(all.filter((answer) => answer === 'started').length <= 3, all.join(' '));
    const session = await world.session('test', { maxRunning: 3 });
    assert.ok((await session.tasks()).length <= 3, 'what was refused has left no record');
    await waitFor(
      () => world.files().filter((path) => path.endsWith('.jsonl')).length === world.pids().length / 2,
      'what runs to be what has a record',
    );
  } finally {
    for (const agent of agents) await agent.crash();
  }
});

test('two processes that both count before the other has taken its slot do not pass the limit together', async () => {
  await using world = new World();
  // Each call that may be about a lock takes so long that the two are in step.
  const slow = ['exec strace -D -f -o /dev/null -e trace=fcntl -e inject=fcntl:delay_enter=40000', builtShim];
  const program = `${world.base}/slow-shim`;
  writeFileSync(program, `#!/bin/sh\n${slow.join(' ')} "$@"\n`, { mode: 0o755 });
  const options = { session: { maxRunning: 1 }, env: { OUTLIVE_SHIM: program } };
  const agents = await Promise.all([1, 2].map(() => Agent.start(world.dir, options)));
  try {
    const answers = await Promise.all(
      agents.map((agent) =>
        agent.run(async ({ session }) =>
          session.spawn('sleep 1000').then(
            () => 'started',
            (error) => error.code,
          ),
        ),
      ),
    );
    assert.ok(answers.filter((answer) => answer === 'started').length <= 1, answers.join(' '));
    assert.ok(
      answers.every((answer) => answer === 'started' || answer === 'TASK_LIMIT'),
      answers.join(' '),
    );
  } finally {
    for (const agent of agents) await agent.crash();
  }
});

test('a limit may be a fraction, or the largest number', async () => {
  await using world = new World();
  const spawns = async (maxRunning: number): Promise<number> => {
    const session = await world.session(`limit-${maxRunning}`, { maxRunning });
    const tasks = await Promise.allSettled([1, 2, 3, 4].map(() => session.spawn('sleep 1000')));
    return tasks.filter(({ status }) => status === 'fulfilled').length;
  };
  assert.deepEqual([await spawns(1.5), await spawns(3), await spawns(Number.MAX_SAFE_INTEGER)], [2, 3, 4]);
});

test('a foreign process that locks everything keeps no shim busy, and supervisors give the turns', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 2 });
  const task = await session.spawn('sleep 1000');
  const program = `
import fcntl, sys
held = open(sys.argv[1], 'r+')
fcntl.lockf(held, fcntl.LOCK_SH)
print('held', flush=True)
sys.stdin.read()`;
  const file = world.sessionOf(task.id).queue;
  const stranger = spawn('python3', ['-c', program, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(stranger.stdout, 'data');
    const [queued] = await spawnMany(session, 1, 'true');
    assert.equal((await endOf(queued as Task)).status, 'completed');
    assert.equal(factOf(world.logOf(queued?.id ?? ''), 'waiting').locks, false);
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('leftovers of a task take no slot; a task that waits for its leftovers takes one', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const go = `${world.base}/go`;
  await endOf(await session.spawn(`sleep 1000 & true`));
  const waits = await session.spawn(`(${untilThere(go)}) & true`, { leftovers: 'wait' });
  await waitFor(() => hasFact(world.logOf(waits.id), 'exit'), 'the command to end');
  const [next] = await spawnMany(session, 1, 'true');
  await untilAsleep(world, next as Task);
  await assert.rejects(session.spawn('true'), { code: 'TASK_LIMIT' });
  assert.equal(next?.snapshot().status, 'queued');
  writeFileSync(go, '');
  assert.equal((await endOf(next as Task)).status, 'completed');
});

test('whoever is told of an end can take the free slot', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  for (let round = 0; round < 20; round += 1) await (await session.spawn('true')).wait();
});

test('a shim finds its turn even if it cannot get the locks of its launcher', async () => {
  await using world = new World();
  const before = refusing(world, [{ call: 'clone', argument: sharedFiles }], EINVAL);
  await using agent = await Agent.start(world.dir, { before, session: { maxRunning: 2 } });
  const trace = `${world.base}/trace`;
  writeFileSync(trace, '');
  const go = `${world.base}/go`;
  const commands = Array.from({ length: 12 }, (_none, index) => tracing(trace, index, untilThere(go)));
  const ids = await agent.run(async ({ session }, all) => {
    const tasks = await Promise.all(all.map((command) => session.spawn(command, { onLimit: 'queue' })));
    const limit = await session.spawn('true').catch((error) => error.code);
    return [...tasks.map(({ id }) => id), limit];
  }, commands);
  assert.equal(ids.pop(), 'TASK_LIMIT');
  await agent.crash();
  writeFileSync(go, '');
  const logs = ids.map((id) => world.logOf(id));
  await waitFor(() => logs.every((log) => hasFact(log, 'exit')), 'all to have run');
  checkOrder(logs);
  const { mostAtOnce } = startOrder(readFileSync(trace, 'utf8'));
  assert.ok(mostAtOnce <= 2, `${mostAtOnce} at once`);
});

test('a slot that a task in another container gives up is soon taken, though that task cannot wake anybody here', async () => {
  await using world = new World();
  await using namespace = await PidNamespace.start();
  await using there = await Agent.start(world.dir, {
    before: namespace.enter,
    session: { maxRunning: 1 },
  });
  const go = `${world.base}/go`;
  await there.run(async ({ session }, command) => (await session.spawn(command)).id, untilThere(go));
  const session = await world.session('test', { maxRunning: 1 });
  const [here] = await spawnMany(session, 1, 'true');
  await untilAsleep(world, here as Task);
  assert.equal(here?.snapshot().status, 'queued');
  await session.close();
  writeFileSync(go, '');
  await waitFor(() => hasFact(world.logOf(here?.id ?? ''), 'exit'), 'the task here to run');
});

test('tasks whose ids end alike have separate locks', async (t) => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  // Other names are drawn with the folders of the session.
  await session.run('true');
  const drawn = ['000012345678', '100012345678', '000112345678', '800012345678'];
  const { randomBytes } = crypto;
  t.mock.method(crypto, 'randomBytes', (size: number) =>
    size === 6 && drawn.length > 0 ? Buffer.from(drawn.shift() ?? '', 'hex') : randomBytes(size),
  );
  syncBuiltinESMExports();
  const first = await session.spawn('sleep 1000');
  const queued = await spawnMany(session, 3, 'true');
  t.mock.restoreAll();
  syncBuiltinESMExports();
  assert.ok([first, ...queued].every(({ id }) => id.endsWith('12345678')));
  for (const { id } of queued) {
    await waitFor(() => hasFact(world.logOf(id), 'waiting'), 'it to wait');
    assert.equal(factOf(world.logOf(id), 'waiting').locks, true, id);
  }
  await first.kill({ graceMs: 0 });
  for (const task of queued) assert.equal((await endOf(task)).exitCode, 0);
});

test('without locks a supervisor gives the turns, and says that another task has not completed', async () => {
  await using world = new World();
  const before = refusing(world, [{ call: 'fcntl', second: setLock }], ENOLCK);
  await using agent = await Agent.start(world.dir, { before, session: { maxRunning: 1 } });
  const [first = '', second = '', third = '', fourth = ''] = await agent.run(async ({ session }) => {
    const running = await session.spawn('sleep 1000');
    const queued = await session.spawn('exit 3', { onLimit: 'queue' });
    const completed = await session.spawn('true', { onLimit: 'queue' });
    const after = await session.spawn('true', { after: queued.id });
    const last = await session.spawn('true', { after: completed.id });
    return [running.id, queued.id, after.id, last.id];
  });
  assert.equal(factOf(world.logOf(second), 'waiting').locks, false);
  await agent.crash();
  const session = await world.session('test', { maxRunning: 1 });
  await session.task(first).kill({ graceMs: 0 });
  assert.equal((await endOf(session.task(second))).exitCode, 3);
  assert.equal(hasFact(world.logOf(second), 'turn'), true);
  const { status, statusReason } = await endOf(session.task(third));
  assert.deepEqual([status, statusReason], ['failed', 'dependency_failed']);
  assert.equal((await endOf(session.task(fourth))).status, 'completed');
});

for (const [what, put] of [
  ['a link', (path: string) => symlinkSync('/dev/null', path)],
  ['a folder', (path: string) => mkdirSync(path)],
  ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
] as const) {
  test(`${what} in the place of the lock file blocks nobody`, async () => {
    await using world = new World();
    const session = await world.session('test', { maxRunning: 1 });
    await endOf(await session.spawn('true'));
    const file = world.sessionOf((await session.tasks())[0]?.taskId ?? '').queue;
    rmSync(file);
    put(file);
    const first = await session.spawn('sleep 0.2');
    const [second] = await spawnMany(session, 1, 'true');
    assert.equal((await endOf(first)).status, 'completed');
    assert.equal((await endOf(second as Task)).status, 'completed');
    assert.equal(
      factsOf(world.logOf(second?.id ?? '')).some(({ fact }) => fact === 'turn'),
      true,
    );
  });
}

function untilThere(path: string): string {
  return `until [ -e ${quote(path)} ]; do sleep 0.02; done`;
}

async function spawnMany(session: Session, count: number, command: string): Promise<Task[]> {
  return await Promise.all(Array.from({ length: count }, () => session.spawn(command, { onLimit: 'queue' })));
}

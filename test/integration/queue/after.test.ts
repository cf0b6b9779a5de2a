import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Session, Task } from '../../../src/index.ts';
import { appendFacts, factOf, factsOf, hasFact } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { onWindows } from '../../support/processes.ts';
import { checkOrder, endOf, untilAsleep } from '../../support/queues.ts';
import { quote, World, waitFor } from '../../support/world.ts';
import { exit } from '../../unit/model/sample-facts.ts';

test('a task starts when the one that it comes after has completed', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const first = await session.spawn(untilThere(go));
  const second = await session.spawn('echo ran', { after: first.id });
  const { status, after, startedAt } = second.snapshot();
  assert.deepEqual([status, after, startedAt], ['queued', first.id, null]);
  writeFileSync(go, '');
  assert.equal((await endOf(second)).status, 'completed');
  assert.equal((await second.tail()).text.trim(), 'ran');
  assert.equal(first.snapshot().status, 'completed');
  if (!onWindows) checkFollows(world, first, second);
});

const bad = [
  ['ends with a code', 'exit 3', async () => undefined],
  ['is killed', 'sleep 1000', async (task: Task) => void (await task.kill({ graceMs: 0 }))],
  ['runs out of time', 'sleep 1001', async () => undefined],
] as const;

for (const [what, command, act] of bad) {
  test(`when the first ${what}, the second fails without running`, async () => {
    await using world = new World();
    const session = await world.session();
    const first = await session.spawn(command, {
      timeoutMs: command.endsWith('1') ? 300 : null,
      graceMs: 100,
    });
    const second = await session.spawn(`echo ran >${quote(`${world.base}/trace`)}`, { after: first.id });
    await act(first);
    await isNotRun(world, second);
  });
}

test('a task that comes after an ended one starts at once, or fails at once', async () => {
  await using world = new World();
  const session = await world.session();
  const [good, failed] = [await session.spawn('true'), await session.spawn('false')];
  await Promise.all([endOf(good), endOf(failed)]);
  assert.equal((await endOf(await session.spawn('true', { after: good.id }))).status, 'completed');
  const second = await session.spawn(`echo ran >${quote(`${world.base}/trace`)}`, { after: failed.id });
  await isNotRun(world, second);
});

test('a pipeline that hides a failure counts as completed, and the task after it starts', async () => {
  await using world = new World();
  const session = await world.session();
  const first = await session.spawn('false | true');
  assert.equal((await endOf(await session.spawn('true', { after: first.id }))).status, 'completed');
});

test('a task after one of another session, or after a missing one, is refused before anything is made', async () => {
  await using world = new World();
  const session = await world.session();
  const other = await (await world.session('other')).spawn('true');
  for (const after of [other.id, 'bgb-000000000000', '../../etc', 'x'])
    await assert.rejects(session.spawn('true', { after }), { code: 'TASK_NOT_FOUND' });
  for (const after of ['', 7, null, 'x'.repeat(300)])
    await assert.rejects(session.spawn('true', { after: after as string }), { code: 'INVALID_ARGUMENT' });
  assert.deepEqual(await session.tasks(), []);
});

test('a chain of tasks goes on one by one, and all tasks after a failing one fail with it', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const tasks = [await session.spawn(untilThere(go))];
  for (const command of ['true', 'true', 'exit 4', `echo ran >${quote(`${world.base}/trace`)}`, 'true'])
    tasks.push(await session.spawn(command, { after: tasks.at(-1)?.id ?? '' }));
  writeFileSync(go, '');
  const ends = await Promise.all(tasks.map(endOf));
  assert.deepEqual(
    ends.map(({ status, statusReason }) => `${status} ${statusReason}`),
    [
      'completed null',
      'completed null',
      'completed null',
      'failed null',
      'failed dependency_failed',
      'failed dependency_failed',
    ],
  );
  assert.equal(existsSync(`${world.base}/trace`), false);
});

test('many tasks may come after one task, and all of them start', async () => {
  await using world = new World();
  const session = await world.session();
  const go = `${world.base}/go`;
  const first = await session.spawn(untilThere(go));
  const many = onWindows ? 5 : 40;
  const others = await Promise.all(
    Array.from({ length: many }, () => session.spawn('true', { after: first.id })),
  );
  writeFileSync(go, '');
  for (const task of others) assert.equal((await endOf(task)).status, 'completed');
});

test('a task that waits for another one takes no slot, and tasks that only wait for a slot pass it', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 2 });
  const first = await session.spawn('sleep 1000');
  const second = await session.spawn('true', { after: first.id });
  assert.equal((await endOf(await session.spawn('true'))).status, 'completed');
  assert.equal((await endOf(await session.spawn('true', { onLimit: 'queue' }))).status, 'completed');
  assert.equal(second.snapshot().status, 'queued');
});

test('when the other task has completed, the waiting task waits for a slot in its turn', async () => {
  await using world = new World();
  const session = await world.session('test', { maxRunning: 1 });
  const go = `${world.base}/go`;
  const first = await session.spawn(untilThere(go));
  const tasks = [
    await session.spawn('sleep 0.05', { after: first.id }),
    await session.spawn('sleep 0.05', { onLimit: 'queue' }),
    await session.spawn('sleep 0.05', { after: first.id }),
  ];
  writeFileSync(go, '');
  for (const task of tasks) assert.equal((await endOf(task)).status, 'completed');
  const times = tasks.map((task) => task.snapshot());
  for (const [index, { startedAt, endedAt }] of times.entries())
    for (const other of times.slice(index + 1))
      assert.ok(
        (endedAt ?? 0) - (onWindows ? 50 : 0) <= (other.startedAt ?? 0) ||
          (other.endedAt ?? 0) - (onWindows ? 50 : 0) <= (startedAt ?? 0),
        'one at a time',
      );
});

test('a task that waits for another one is stopped like any queued task', async () => {
  await using world = new World();
  const session = await world.session();
  const { second, trace } = await twoTasks(world, session);
  const { status, statusReason, startedAt } = await second.kill({ graceMs: 60_000 });
  assert.deepEqual([status, statusReason, startedAt], ['killed', 'kill', null]);
  assert.equal(existsSync(trace), false);
});

test(
  'a first task whose shim was killed has not completed, and the task after it soon learns that',
  notOnWindows('the Windows wrapper holds no lock'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const { first, second } = await twoTasks(world, session);
    await waitFor(() => hasFact(world.logOf(first.id), 'started'), 'the first to start');
    await session.close();
    const killed = performance.now();
    process.kill(factOf(world.logOf(first.id), 'started').shimPid, 'SIGKILL');
    await waitFor(() => hasFact(world.logOf(second.id), 'stop'), 'the second to end');
    const took = performance.now() - killed;
    assert.equal(factOf(world.logOf(second.id), 'stop').cause, 'dependency_failed');
    assert.ok(took < 5_000, `it took ${took} ms`);
  },
);

test(
  'an end that the first task forges in its own log starts nothing',
  notOnWindows('outlive believes a forged end there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const { first, second, trace } = await twoTasks(world, session);
    await waitFor(() => hasFact(world.logOf(first.id), 'started'), 'the first to start');
    const { pid } = factOf(world.logOf(second.id), 'waiting');
    for (const proof of ['made up', '', 'x'.repeat(500)]) {
      appendFacts(world.logOf(first.id), { ...exit(0, { proof }) }, { fact: 'gone', proof });
      process.kill(pid, 'SIGCONT');
    }
    // It has read that when it sleeps again, and has read what comes after it.
    await untilAsleep(world, second);
    process.kill(factOf(world.logOf(first.id), 'started').shimPid, 'SIGKILL');
    await waitFor(() => hasFact(world.logOf(second.id), 'stop'), 'the second to end');
    await isNotRun(world, second, trace);
  },
);

test(
  'leftovers of the first task delay nothing, unless it waits for them',
  notOnWindows('supervisors check processes from outside there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const left = await session.spawn('sleep 1000 & true');
    assert.equal((await endOf(await session.spawn('true', { after: left.id }))).status, 'completed');
    const go = `${world.base}/go`;
    const waits = await session.spawn(`(${untilThere(go)}) & true`, { leftovers: 'wait' });
    const second = await session.spawn('true', { after: waits.id });
    await waitFor(() => hasFact(world.logOf(waits.id), 'exit'), 'the command to end');
    await untilAsleep(world, second);
    assert.equal(second.snapshot().status, 'queued');
    writeFileSync(go, '');
    assert.equal((await endOf(second)).status, 'completed');
  },
);

test(
  'a first task whose record is removed while it runs is still waited for',
  notOnWindows('a file that is open cannot be removed there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const go = `${world.base}/go`;
    const first = await session.spawn(untilThere(go));
    const second = await session.spawn('true', { after: first.id });
    await untilAsleep(world, second);
    rmSync(world.logOf(first.id));
    writeFileSync(go, '');
    assert.equal((await endOf(second)).status, 'completed');
  },
);

test(
  'a task that waits for another one ends with the process that it is bound to',
  notOnWindows('supervisors enforce bindTo there'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const bound = await session.spawn('sleep 1000');
    await waitFor(() => hasFact(world.logOf(bound.id), 'started'), 'the process to be there');
    const { pid } = factOf(world.logOf(bound.id), 'started');
    const go = `${world.base}/go`;
    const first = await session.spawn(untilThere(go));
    const ends = await session.spawn('true', { after: first.id, bindTo: { pid } });
    const starts = await session.spawn('sleep 1000', { after: first.id, bindTo: { pid: process.pid } });
    await untilAsleep(world, ends);
    await bound.kill({ graceMs: 0 });
    const { status, statusReason } = await endOf(ends);
    assert.deepEqual([status, statusReason], ['killed', 'bound']);
    writeFileSync(go, '');
    await waitFor(() => starts.snapshot().status === 'running', 'one whose process lives to start');
  },
);

function untilThere(path: string): string {
  return `until [ -e ${quote(path)} ]; do sleep 0.02; done`;
}

async function twoTasks(
  world: World,
  session: Session,
): Promise<{ first: Task; second: Task; trace: string }> {
  const trace = `${world.base}/trace`;
  const first = await session.spawn('sleep 1000');
  const second = await session.spawn(`echo ran >${quote(trace)}`, { after: first.id });
  await untilAsleep(world, second);
  return { first, second, trace };
}

async function isNotRun(world: World, task: Task, trace = `${world.base}/trace`): Promise<void> {
  const { status, statusReason, exitCode, exitSignal, startedAt } = await endOf(task);
  assert.deepEqual([status, statusReason], ['failed', 'dependency_failed']);
  assert.deepEqual([exitCode, exitSignal, startedAt], [null, null, null]);
  assert.equal(existsSync(trace), false);
  if (!onWindows)
    assert.equal(
      factsOf(world.logOf(task.id)).some(({ fact }) => fact === 'started'),
      false,
    );
}

function checkFollows(world: World, first: Task, second: Task): void {
  const [before, after] = [factOf(world.logOf(first.id), 'exit'), factOf(world.logOf(second.id), 'started')];
  assert.ok((after.monoMs ?? 0) >= (before.monoMs ?? 0), 'it started before the other one had ended');
  checkOrder([first, second].map(({ id }) => world.logOf(id)));
}

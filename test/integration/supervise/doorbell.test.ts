import assert from 'node:assert/strict';
import { closeSync, constants, openSync, readdirSync, readlinkSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf, hasFact } from '../../support/logs.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

/** The descriptors of this process that are pipes, by what they lead to. */
function pipes(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.includes('/doorbell-') ? [`/proc/self/fd/${fd}`] : [];
    } catch {
      return [];
    }
  });
}

test('forged lines on the doorbell end no task', notOnWindows('there is no doorbell'), async () => {
  await using world = new World();
  const session = await world.session();
  for (const _ of [1, 2]) await (await session.spawn('true')).wait();
  await waitFor(() => pipes().length === 2, 'the doorbell to be open');
  const task = await session.spawn(`until [ -e ${world.base}/open ]; do sleep 0.01; done; exit 4`);
  const bell = openSync(pipes()[0] ?? assert.fail(), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    const exit = { fact: 'exit', code: 0, exitSignal: null, left: 0, pending: false, proof: 'a'.repeat(32) };
    for (const line of [
      `${task.id} ${JSON.stringify(exit)}`,
      `${task.id} {"fact":"exit"`,
      `${task.id} {"fact":"gone","proof":"x"}`,
      `bgb-000000000000 ${JSON.stringify(exit)}`,
      '',
      'x'.repeat(60_000),
      '\0\u{fffd} \n\n',
    ])
      writeSync(bell, `${line}\n`);
  } finally {
    closeSync(bell);
  }
  // What comes after it is heard: the pipe was read up to here.
  await (await session.spawn('true')).wait();
  assert.equal(task.snapshot().status, 'running');
  await session.spawn(`touch ${world.base}/open`);
  const end = await task.wait();
  assert.deepEqual([end.status, end.exitCode], ['failed', 4]);
});

test(
  'the first task of a process rings at a socket that nobody else can open',
  notOnWindows('there is no doorbell'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn(`until [ -e ${world.base}/open ]; do sleep 0.01; done; exit 4`);
    await untilStarted(world, task.id);
    const bell = `/proc/${factOf(world.logOf(task.id), 'started').shimPid}/fd/4`;
    assert.match(readlinkSync(bell), /^socket:/);
    assert.throws(() => openSync(bell, constants.O_WRONLY | constants.O_NONBLOCK), /ENXIO/);
    assert.deepEqual(pipes(), [], 'there is no FIFO');
    writeFileSync(`${world.base}/open`, '');
    const end = await task.wait();
    assert.deepEqual([end.status, end.exitCode], ['failed', 4]);
  },
);

test(
  'the end of a first task that can no longer ring is still noticed',
  notOnWindows('there is no doorbell'),
  async () => {
    await using world = new World();
    const session = await world.session();
    const task = await session.spawn('sleep 300');
    await untilStarted(world, task.id);
    process.kill(factOf(world.logOf(task.id), 'started').shimPid, 'SIGKILL');
    const end = await task.wait();
    assert.deepEqual([end.status, end.statusReason], ['lost', 'no_exit_marker']);
    await task.kill();
  },
);

test(
  'the ends of tasks are told although the doorbell was full',
  notOnWindows('there is no doorbell'),
  async () => {
    await using world = new World();
    await using agent = await Agent.start(world.dir, { session: { maxRunning: 1_000 } });
    const ids = await agent.run(async ({ session }, gate) => {
      for (const _ of [1, 2]) await (await session.spawn('true')).wait();
      const tasks = [];
      for (let i = 0; i < 20; i += 1)
        tasks.push(await session.spawn(`until [ -e ${gate} ]; do sleep 0.05; done; exit ${i}`));
      return tasks.map(({ id }) => id);
    }, `${world.base}/gate`);
    const bells = readdirSync(`/proc/${agent.pid}/fd`).flatMap((fd) => {
      const path = `/proc/${agent.pid}/fd/${fd}`;
      return readlinkSync(path).includes('/doorbell-') ? [path] : [];
    });
    process.kill(agent.pid, 'SIGSTOP');
    const bell = openSync(bells[0] ?? assert.fail('no doorbell'), constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      // Until it takes no byte more.
      assert.throws(() => {
        for (;;) writeSync(bell, 'x'.repeat(4_096));
      }, /EAGAIN/);
      await (await (await world.session('other')).spawn(`touch ${world.base}/gate`)).wait();
      await waitFor(() => ids.every((id) => hasFact(world.logOf(id), 'exit')), 'the ends to be in the logs');
    } finally {
      closeSync(bell);
      process.kill(agent.pid, 'SIGCONT');
    }
    const codes = await agent.run(
      async ({ session }, wanted) =>
        (await Promise.all(wanted.map((id) => session.task(id).wait()))).map(({ exitCode }) => exitCode),
      ids,
    );
    assert.deepEqual(codes, [...ids.keys()]);
  },
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentScope } from '../support/agent-types.ts';
import { Agent } from '../support/agents.ts';
import { appendFacts, factOf, hasFact } from '../support/logs.ts';
import { PidNamespace } from '../support/namespaces.ts';
import { untilStarted } from '../support/ready.ts';
import { World, waitFor } from '../support/world.ts';

/**
 * Starts a stranger that leads a group and a session and has a certain pid, in the agent's pid namespace. It has
 * a child in its group, and ends when that one does. The kernel is told where to go on counting; whatever else is started meanwhile may come first.
 */
const takePid = async ({ fs, childProcess, kept }: AgentScope, pid: number): Promise<boolean> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    fs.writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
    const options = { detached: true, stdio: 'ignore', env: { PATH: '/bin:/usr/bin' } } as const;
    const stranger = childProcess.spawn('sh', ['-c', 'sleep 304 & wait'], options);
    kept.strangerEnded = false;
    stranger.once('exit', () => {
      kept.strangerEnded = true;
    });
    stranger.unref();
    if (stranger.pid === pid) return true;
    stranger.kill('SIGKILL');
    await new Promise((resolve) => stranger.once('exit', resolve));
  }
  return false;
};

/** Stops a task in every way that there is. */
const stopInEveryWay = async ({ session }: AgentScope, taskId: string): Promise<void> => {
  await session.task(taskId).kill({ graceMs: 0 });
  await session.task(taskId).kill({ killSignal: 'SIGKILL' });
  await session.shutdown({ graceMs: 0 });
};

/** Whether the stranger has felt anything. A process that begins and ends meanwhile gives it the time to. */
const strangerEnded = async ({ childProcess, kept }: AgentScope): Promise<boolean> => {
  for (let i = 0; i < 5; i += 1) {
    await new Promise((resolve) => childProcess.spawn('true').once('exit', resolve));
  }
  return kept.strangerEnded as boolean;
};

const ends = [
  {
    what: 'was killed without a trace',
    command: 'sleep 300',
    expected: ['lost', 'no_exit_marker', null],
  },
  { what: 'ended with 3', command: 'exit 3', expected: ['failed', null, 3] },
  {
    what: 'was about to be stopped when its stopper died',
    command: 'sleep 300',
    stop: true,
    expected: ['killed', 'kill', null],
  },
];

for (const { what, command, stop, expected } of ends) {
  test(`a stranger with the pid of a shim that ${what} is never signalled`, async () => {
    await using world = new World();
    await using namespace = await PidNamespace.start();
    const { taskId, pid } = await orphan(world, namespace, command);
    if (command !== 'exit 3') {
      for (const member of world.pidsOf(taskId)) process.kill(member, 'SIGKILL');
    }
    await waitFor(() => world.pidsOf(taskId).length === 0, 'the task to be gone');
    const { by } = factOf(world.logOf(taskId), 'spec');
    const request = { cause: 'kill', id: 'dead', by, at: Date.now(), graceMs: 0, killSignal: 'SIGKILL' };
    if (stop) appendFacts(world.logOf(taskId), { fact: 'stop', ...request });

    await using agent = await Agent.start(world.dir, { before: namespace.enter, sessionId: 'other' });
    assert.ok(await agent.run(takePid, pid), `a stranger has pid ${pid}`);
    await using later = await Agent.start(world.dir, { before: namespace.enter });
    const snapshot = await later.run(async ({ session }, id) => await session.task(id).wait(), taskId);
    assert.deepEqual([snapshot.status, snapshot.statusReason, snapshot.exitCode], expected);
    assert.deepEqual(snapshot.leftovers, []);
    await later.run(stopInEveryWay, taskId);
    assert.equal(await agent.run(strangerEnded), false);
  });
}

test('leftovers are stopped, and a stranger with the pid of their shim is not', async () => {
  await using world = new World();
  await using namespace = await PidNamespace.start();
  const { taskId, pid } = await orphan(world, namespace, 'setsid sleep 303 & sleep 0.2');
  await waitFor(() => hasFact(world.logOf(taskId), 'exit'), 'the command to end');
  await waitFor(() => world.pidsOf(taskId).length === 1, 'the leftover alone');
  await using agent = await Agent.start(world.dir, { before: namespace.enter, sessionId: 'other' });
  assert.ok(await agent.run(takePid, pid), `a stranger has pid ${pid}`);
  await using later = await Agent.start(world.dir, { before: namespace.enter });
  const snapshot = await later.run(async ({ session }, id) => await session.task(id).wait(), taskId);
  assert.equal(snapshot.status, 'completed');
  assert.deepEqual(
    snapshot.leftovers.map(({ command }) => command),
    ['sleep 303'],
  );
  await later.run(stopInEveryWay, taskId);
  assert.deepEqual(world.pidsOf(taskId), []);
  assert.equal(await agent.run(strangerEnded), false);
});

/** A task in a namespace whose spawner is dead, with the pid of its shim there. */
async function orphan(
  world: World,
  namespace: PidNamespace,
  command: string,
): Promise<{ taskId: string; pid: number }> {
  await using agent = await Agent.start(world.dir, { before: namespace.enter });
  const taskId = await agent.run(async ({ session }, text) => (await session.spawn(text)).id, command);
  await untilStarted(world, taskId);
  await agent.crash();
  return { taskId, pid: factOf(world.logOf(taskId), 'started').pid };
}

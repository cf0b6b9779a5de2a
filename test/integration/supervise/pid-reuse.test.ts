import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentScope } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { appendFacts, factOf, hasFact } from '../../support/logs.ts';
import { PidNamespace } from '../../support/namespaces.ts';
import { isShim } from '../../support/processes.ts';
import { untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';

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
    what: 'was killed, shim and all',
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

const victims = ends.flatMap((end) => [
  { ...end, who: 'shim' as const },
  { ...end, who: 'command' as const },
]);

for (const { who, what, command, stop, expected } of victims) {
  test(`another process with the pid of the ${who} of a task that ${what} is never signalled`, async () => {
    await using world = new World();
    await using namespace = await PidNamespace.start();
    const orphaned = await orphan(world, namespace, command);
    const { taskId } = orphaned;
    if (command !== 'exit 3') {
      // The shim first: it would record the end of the command.
      for (const member of world.pids().filter(isShim)) process.kill(member, 'SIGKILL');
      await waitFor(() => !world.pids().some(isShim), 'the shim to be gone');
      for (const member of world.pidsOf(taskId)) process.kill(member, 'SIGKILL');
    }
    await waitFor(() => world.pids().length === 0, 'the task to be gone');
    const { by } = factOf(world.logOf(taskId), 'spec');
    const request = { cause: 'kill', id: 'dead', by, at: Date.now(), graceMs: 0, killSignal: 'SIGKILL' };
    if (stop) appendFacts(world.logOf(taskId), { fact: 'stop', ...request });

    await using agent = await Agent.start(world.dir, { before: namespace.enter, sessionId: 'other' });
    assert.ok(await agent.run(takePid, orphaned[who]), `a stranger has pid ${orphaned[who]}`);
    await using later = await Agent.start(world.dir, { before: namespace.enter });
    const snapshot = await later.run(async ({ session }, id) => await session.task(id).wait(), taskId);
    assert.deepEqual([snapshot.status, snapshot.statusReason, snapshot.exitCode], expected);
    assert.deepEqual(snapshot.leftovers, []);
    await later.run(stopInEveryWay, taskId);
    assert.equal(await agent.run(strangerEnded), false);
  });
}

for (const who of ['shim', 'command'] as const) {
  test(`leftovers are stopped, and another process with the pid of their ${who} is not`, async () => {
    await using world = new World();
    await using namespace = await PidNamespace.start();
    const orphaned = await orphan(world, namespace, 'setsid sleep 303 & sleep 0.2');
    const { taskId } = orphaned;
    await waitFor(() => hasFact(world.logOf(taskId), 'exit'), 'the command to end');
    await waitFor(() => world.pidsOf(taskId).length === 1, 'the leftover alone');
    if (who === 'shim') {
      // It stays for the leftover.
      for (const member of world.pids().filter(isShim)) process.kill(member, 'SIGKILL');
      await waitFor(() => !world.pids().some(isShim), 'the shim to be gone');
    }
    await using agent = await Agent.start(world.dir, { before: namespace.enter, sessionId: 'other' });
    assert.ok(await agent.run(takePid, orphaned[who]), `a stranger has pid ${orphaned[who]}`);
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
}

/** A task in a namespace whose spawner is dead, with the pids of its shim and its command there. */
async function orphan(
  world: World,
  namespace: PidNamespace,
  command: string,
): Promise<{ taskId: string; shim: number; command: number }> {
  await using agent = await Agent.start(world.dir, { before: namespace.enter });
  const taskId = await agent.run(async ({ session }, text) => (await session.spawn(text)).id, command);
  await untilStarted(world, taskId);
  await agent.crash();
  const { pid, shimPid } = factOf(world.logOf(taskId), 'started');
  return { taskId, shim: shimPid, command: pid };
}

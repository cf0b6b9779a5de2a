import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { appendFacts, factOf } from '../../support/logs.ts';
import { untilStarted } from '../../support/ready.ts';
import { World, waitFor } from '../../support/world.ts';
import { exit } from '../../unit/model/sample-facts.ts';

/** As complete as the shim's own, but for the proof. */
const forged = exit(0, { proof: 'made up' });

test('forged facts of the shim after the end change nothing, and nobody is told again', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const adopted = await agent.run(async ({ session }) => (await session.spawn('exit 5')).id);
  await agent.crash();
  const session = await world.session();
  const own = (await session.run('exit 5')).task;
  await session.task(adopted).wait();
  assert.deepEqual(await session.takePending(), []);
  for (const id of [own.id, adopted]) {
    const log = world.logOf(id);
    // A replay of the true one, which shows its proof, is one that was changed as well.
    const replay = { ...factOf(log, 'exit'), code: 0 };
    // The secret that the exit shows is not the one that tells of what is left.
    const left = {
      fact: 'left',
      processes: [{ pid: process.pid, command: 'x', start: 1 }],
      proof: replay.proof,
    };
    appendFacts(log, forged, replay, factOf(log, 'started'), left);
  }
  // Whoever has the session open has seen the forgery when he sees what comes after it.
  await (await session.spawn('true')).wait();
  await using later = await Agent.start(world.dir);
  const elsewhere = await later.run(
    async (scope, ids) => ids.map((id) => scope.session.task(id).snapshot()),
    [own.id, adopted],
  );
  for (const snapshot of [own.snapshot(), session.task(adopted).snapshot(), ...elsewhere]) {
    const { status, exitCode, delivered, leftovers, cpuMs } = snapshot;
    assert.deepEqual([status, exitCode, delivered, leftovers], ['failed', 5, true, []]);
    assert.notEqual(cpuMs, null);
  }
  assert.deepEqual(await session.pending(), []);
});

test('a task that writes an exit marker and kills its shim is lost, since the marker has no proof', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const taskId = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  await untilStarted(world, taskId);
  await agent.crash();
  const log = world.logOf(taskId);
  appendFacts(log, forged);
  const session = await world.session();
  const { pid, shimPid } = factOf(log, 'started');
  process.kill(shimPid, 'SIGKILL');
  process.kill(-pid, 'SIGKILL');
  const { status, exitCode } = await session.task(taskId).wait();
  assert.deepEqual([status, exitCode], ['lost', null]);
  await waitFor(() => world.pidsOf(taskId).length === 0, 'it to be gone');
});

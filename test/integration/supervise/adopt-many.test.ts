import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taken } from '../../support/agent-types.ts';
import { Agent } from '../../support/agents.ts';
import { onWindows } from '../../support/processes.ts';
import { World, waitFor } from '../../support/world.ts';

/** Wine takes half a second for each. */
const count = onWindows ? 12 : 200;

/** Of these, some run until they are stopped; the others exit with their number modulo 7. */
const runsOn = (i: number): boolean => i % 20 === 0;

// In the reference system tasks that ended while it was down were never pushed, and two processes on one
// session both delivered a completion.
test(`${count} tasks of a killed agent end with their exit codes, each delivered once by two processes`, async () => {
  await using world = new World();
  await using first = await Agent.start(world.dir, { session: { maxRunning: count } });
  const ids = await first.run(async ({ session }, total) => {
    const spawnOne = async (i: number): Promise<string> => {
      const command = i % 20 === 0 ? 'sleep 300' : `sleep ${(i % 11) / 10}; exit ${i % 7}`;
      return (await session.spawn(command, { name: String(i) })).id;
    };
    return await Promise.all(Array.from({ length: total }, (_, i) => spawnOne(i)));
  }, count);
  await first.crash();

  const [second, third] = await Promise.all([Agent.start(world.dir), Agent.start(world.dir)]);
  await using _second = second;
  await using _third = third;
  await Promise.all([second.takeCompletions(), third.takeCompletions()]);
  const ending = ids.filter((_, i) => !runsOn(i));
  await waitFor(async () => (await wonBy(second, third)).length >= ending.length, 'all completions', 60_000);
  const delivered = await wonBy(second, third);
  assert.deepEqual(delivered.map(({ taskId }) => taskId).sort(), [...ending].sort(), 'each exactly once');
  for (const { taskId, status, exitCode } of delivered) {
    const code = ids.indexOf(taskId) % 7;
    assert.deepEqual({ status, exitCode }, { status: code === 0 ? 'completed' : 'failed', exitCode: code });
  }

  // After the acknowledgement never again, whoever opens the session.
  const session = await world.session();
  assert.deepEqual(await session.pending(), []);
  const running = (await session.tasks()).filter(({ status }) => status === 'running');
  assert.deepEqual(running.map(({ taskId }) => taskId).sort(), ids.filter((_, i) => runsOn(i)).sort());
  const stopped = await session.shutdown({ graceMs: 1_000 });
  assert.ok(stopped.every(({ status, statusReason }) => status === 'killed' && statusReason === 'shutdown'));
  assert.deepEqual(world.commandPids(), []);
  await waitFor(
    async () => (await wonBy(second, third)).length === count,
    'the completions of those',
    60_000,
  );
  assert.equal(new Set((await wonBy(second, third)).map(({ taskId }) => taskId)).size, count);
});

test('tasks that ended without a supervisor are pushed to the next process, until acknowledged', async () => {
  await using world = new World();
  await using agent = await Agent.start(world.dir);
  const ids = await agent.run(
    async ({ session }) =>
      await Promise.all([0, 1, 2, 3].map(async (code) => (await session.spawn(`exit ${code}`)).id)),
  );
  await agent.crash();
  await waitFor(() => world.pids().length === 0, 'the commands to end');
  // Handed out and not acknowledged: a crash right after would have lost it.
  {
    await using second = await Agent.start(world.dir);
    const seen = await second.run(async ({ session }, total) => {
      const codes: (number | null)[] = [];
      for await (const { exitCode } of session.completions()) if (codes.push(exitCode) === total) break;
      return codes;
    }, ids.length);
    assert.deepEqual(seen.sort(), [0, 1, 2, 3]);
    await second.crash();
  }
  const session = await world.session();
  const codes: (number | null)[] = [];
  for await (const completion of session.completions()) {
    codes.push(completion.exitCode);
    assert.equal(await completion.ack(), true);
    if (codes.length === ids.length) break;
  }
  assert.deepEqual(codes.sort(), [0, 1, 2, 3]);
  assert.deepEqual(await (await world.session()).pending(), []);
});

test('exactly one of two live processes wins the acknowledgement of each completion', async () => {
  await using world = new World();
  const [one, two] = await Promise.all([Agent.start(world.dir), Agent.start(world.dir)]);
  await using _one = one;
  await using _two = two;
  await Promise.all([one.takeCompletions(), two.takeCompletions()]);
  const ids = await one.run(
    async ({ session }, many) => {
      const tasks = await Promise.all(Array.from({ length: many }, (_, i) => session.spawn(`exit ${i % 3}`)));
      return tasks.map(({ id }) => id);
    },
    Math.min(count, 40),
  );
  await waitFor(async () => (await wonBy(one, two)).length >= ids.length, 'all completions');
  assert.deepEqual((await wonBy(one, two)).map(({ taskId }) => taskId).sort(), ids.sort());
});

/** The completions that agents were the first to acknowledge. */
async function wonBy(...agents: Agent[]): Promise<Taken[]> {
  const lists = await Promise.all(agents.map((agent) => agent.taken()));
  return lists.flat().filter(({ first }) => first);
}

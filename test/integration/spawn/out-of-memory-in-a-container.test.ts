import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from '../../support/agents.ts';
import { factOf } from '../../support/logs.ts';
import { MemoryGroup } from '../../support/memory-group.ts';
import { untilStarted } from '../../support/ready.ts';
import { isLive, World, waitFor } from '../../support/world.ts';

/** What agents and their shims have to themselves, and some more. */
const bytes = 300 * 1024 * 1024;

/** Takes all memory that there is. */
const greedy = 'exec python3 -c "kept = []\nwhile True: kept.append(b\'x\' * 10000000)"';

test('if agent, shims and commands share a memory limit, the greedy command dies of it and the shims report it', async () => {
  await using group = new MemoryGroup(bytes);
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before: group.enter });
  const [modest, ...ends] = await agent.run(async ({ session }, command) => {
    const other = await session.spawn('sleep 300', { timeoutMs: 60_000 });
    const all: unknown[][] = [];
    for (let round = 0; round < 3; round += 1) {
      const { status, statusReason, exitCode, exitSignal, leftovers } = await (
        await session.spawn(command)
      ).wait();
      all.push([status, statusReason, exitCode, exitSignal, leftovers]);
    }
    return [other.id, ...all] as const;
  }, greedy);
  const died = ['failed', 'signal', 137, 'SIGKILL', []];
  assert.deepEqual(ends, [died, died, died]);
  const id = modest as string;
  assert.ok(group.pids().includes(factOf(world.logOf(id), 'started').shimPid), 'a shim is in the group');
  const session = await world.session();
  assert.equal(session.task(id).snapshot().status, 'running');
  assert.equal((await session.task(id).kill({ graceMs: 100 })).status, 'killed');
});

test('limits and stops work in a container that is always out of memory', async () => {
  await using group = new MemoryGroup(bytes);
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before: group.enter });
  // One after the other dies of it, beside what must go on.
  const again = `while :; do (${greedy}) 2>/dev/null; done`;
  const ids = await agent.run(
    async ({ session }, command) => [
      (await session.spawn(command, { timeoutMs: 2_500, graceMs: 200 })).id,
      (await session.spawn('sleep 300', { timeoutMs: 1_500 })).id,
      (await session.spawn('sleep 1; setsid sleep 300 & exit 3', { leftovers: 'kill', graceMs: 100 })).id,
    ],
    again,
  );
  await untilStarted(world, ...ids);
  const session = await world.session();
  const ended = await Promise.all(ids.map((id) => session.task(id).wait()));
  assert.deepEqual(
    ended.map(({ status, exitCode, leftovers }) => [status, exitCode, leftovers]),
    [
      ['timed_out', 124, []],
      ['timed_out', 124, []],
      ['failed', 3, []],
    ],
  );
  await waitFor(() => world.pids().length === 0, 'all processes of tasks to be gone');
});

test('a container that is killed whole takes its tasks along, and they are reported as lost', async () => {
  await using group = new MemoryGroup(bytes);
  await using world = new World();
  await using agent = await Agent.start(world.dir, { before: group.enter });
  const id = await agent.run(async ({ session }) => (await session.spawn('sleep 300')).id);
  await untilStarted(world, id);
  const { pid, shimPid } = factOf(world.logOf(id), 'started');
  // As `memory.oom.group` and the stop of a container have it.
  for (const one of group.pids()) process.kill(one, 'SIGKILL');
  await waitFor(() => !isLive(pid) && !isLive(shimPid), 'the end');
  const end = await (await world.session()).task(id).wait();
  assert.deepEqual([end.status, end.statusReason, end.leftovers], ['lost', 'no_exit_marker', []]);
});

import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootMs } from '../../../src/platform/clock.ts';
import { AgentProcess, type Gap } from '../../support/fleet/agent-process.ts';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

const moments: readonly Gap['moment'][] = [
  ...(['before accepted', 'after accepted', 'before spawn', 'after spawn'] as const),
  ...(['before done', 'after done', 'before ended', 'after ended'] as const),
];

for (const moment of moments) {
  test(
    `an agent that dies ${moment} leaves a task that starts once and whose end is published once`,
    options,
    async () => {
      await using fleet = await FleetWorld.start();
      const { coordinator } = fleet;
      const { command, starts } = fleet.noting('exit 4');
      const gap = { moment, signal: 'SIGKILL' } as const;
      await using first = await AgentProcess.inGap(fleet, gap, command);
      const { task } = first;
      await using _second = new AgentProcess(fleet);
      const ended = await coordinator.until('h1', task, 'ended');
      assert.deepEqual([ended.end?.status, ended.end?.exitCode], ['failed', 4]);
      assert.deepEqual(starts(), ['1']);
      assert.equal((await coordinator.ends(task)).length, 1);
      assert.deepEqual(await coordinator.states('h1', task), ['assigned', 'accepted', 'ended']);
      const store = await fleet.world.store();
      assert.equal((await store.pending('remote')).length, 1, 'it is owed until it is acknowledged');
      await waitFor(() => coordinator.heartbeats.at(-1)?.owes?.length === 1, 'the end to be told');
      await coordinator.control('h1', 'acknowledge', { task, attempt: 1 });
      await waitFor(async () => (await store.pending('remote')).length === 0, 'it to be acknowledged');
    },
  );
}

for (const moment of ['after accepted', 'after done', 'after ended'] as const) {
  test(
    `when the answer ${moment} is lost, the write is stored once and nothing starts twice`,
    options,
    async () => {
      await using fleet = await FleetWorld.start();
      const { coordinator } = fleet;
      const { command, starts } = fleet.noting();
      const gap = { moment, signal: 'answer lost' } as const;
      await using agent = await AgentProcess.inGap(fleet, gap, command);
      const { task } = agent;
      await coordinator.until('h1', task, 'ended');
      await waitFor(() => coordinator.heartbeats.at(-1)?.owes?.length === 1, 'the end to be told');
      assert.deepEqual(starts(), ['1']);
      assert.equal((await coordinator.ends(task)).length, 1);
      assert.deepEqual(await coordinator.states('h1', task), ['assigned', 'accepted', 'ended']);
    },
  );
}

test(
  'when an agent dies between acceptance and spawn, and the task is then revoked, it does not start',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    const { command, starts } = fleet.noting();
    const gap = { moment: 'before spawn', signal: 'SIGKILL' } as const;
    await using first = await AgentProcess.inGap(fleet, gap, command);
    const { task } = first;
    await coordinator.move('h1', task, 'revoked');
    await using _second = new AgentProcess(fleet);
    const other = await coordinator.assign('h1', { command: 'true' });
    await coordinator.until('h1', other, 'ended');
    assert.deepEqual(starts(), []);
    assert.equal((await coordinator.known('h1', task)).assignment.state, 'revoked');
  },
);

test(
  'a task that was accepted but not started when its host was given up starts once when the host is back',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    const { command, starts } = fleet.noting();
    const gap = { moment: 'before spawn', signal: 'SIGKILL' } as const;
    await using first = await AgentProcess.inGap(fleet, gap, command);
    const { task } = first;
    await coordinator.move('h1', task, 'unknown');
    await using _second = new AgentProcess(fleet);
    await coordinator.until('h1', task, 'ended');
    assert.deepEqual(await coordinator.states('h1', task), [
      'assigned',
      'accepted',
      'unknown',
      'accepted',
      'ended',
    ]);
    assert.deepEqual(starts(), ['1']);
  },
);

for (const moment of ['after accepted', 'before accepted'] as const) {
  test(
    `an agent that is stopped ${moment} until its lease has passed does not start a task that was revoked meanwhile`,
    options,
    async () => {
      await using fleet = await FleetWorld.start();
      const { coordinator } = fleet;
      coordinator.leaseMs = 1_000;
      const { command, starts } = fleet.noting();
      const gap = { moment, signal: 'SIGSTOP' } as const;
      await using agent = await AgentProcess.inGap(fleet, gap, command);
      const { task } = agent;
      const stoppedAt = bootMs();
      await waitFor(() => bootMs() > stoppedAt + 1_300, 'the lease to pass');
      await coordinator.move('h1', task, 'revoked');
      const { lists } = coordinator;
      agent.resume();
      await waitFor(() => coordinator.lists > lists, 'the agent to compare');
      const other = await coordinator.assign('h1', { command: 'true' });
      await coordinator.until('h1', other, 'ended');
      assert.deepEqual(starts(), []);
      assert.equal((await coordinator.known('h1', task)).assignment.state, 'revoked');
    },
  );
}

test(
  'an agent that is stopped after its acceptance starts the task only with a new lease, and only once',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    coordinator.leaseMs = 500;
    const { command, starts } = fleet.noting();
    const gap = { moment: 'after accepted', signal: 'SIGSTOP' } as const;
    await using agent = await AgentProcess.inGap(fleet, gap, command);
    const { task } = agent;
    const stoppedAt = bootMs();
    await waitFor(() => bootMs() > stoppedAt + 700, 'the lease to pass');
    coordinator.answers = false;
    agent.resume();
    const asked = coordinator.heartbeats.length;
    await waitFor(() => coordinator.heartbeats.length > asked + 1, 'the agent to ask in vain');
    assert.deepEqual(starts(), []);
    coordinator.answers = true;
    await coordinator.until('h1', task, 'ended');
    assert.deepEqual(starts(), ['1']);
  },
);

test(
  'an agent that was stopped while a task ran stops the task first of all, if it was revoked',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    coordinator.leaseMs = 1_000;
    const { command, starts } = fleet.noting('sleep 600');
    const task = await coordinator.assign('h1', { command, env: {} });
    await using agent = new AgentProcess(fleet);
    await waitFor(() => starts().length === 1, 'the task to start');
    await coordinator.until('h1', task, 'accepted');
    agent.pause();
    const stoppedAt = bootMs();
    await waitFor(() => bootMs() > stoppedAt + 1_000, 'the lease to pass');
    await coordinator.move('h1', task, 'revoked');
    agent.resume();
    await waitFor(() => world.commandPids().length === 0, 'the task to be stopped');
    const store = await world.store();
    await waitFor(async () => (await store.pending('remote')).length === 0, 'nobody to be told of it');
    assert.equal((await coordinator.known('h1', task)).assignment.state, 'revoked');
    assert.deepEqual(await coordinator.ends(task), []);
  },
);

test(
  'of two agents with one credential, the one whose acceptance comes late starts nothing',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const { command, starts } = fleet.noting('sleep 600');
    const gap = { moment: 'before accepted', signal: 'SIGSTOP' } as const;
    await using late = await AgentProcess.inGap(fleet, gap, command);
    const { task } = late;
    const other = await world.store({ dir: join(world.base, 'other-store'), cgroup: null });
    const agent = await fleet.agent({ store: other, dir: join(world.base, 'other-agent') });
    await waitFor(() => starts().length === 1, 'the task to start');
    const { epoch } = await coordinator.until('h1', task, 'accepted');
    const { lists } = coordinator;
    late.resume();
    await waitFor(() => coordinator.lists > lists, 'the late one to compare');
    // It has a slot and a lease, and takes the next one when the other agent takes none.
    await agent.close();
    const next = await coordinator.assign('h1', { command: 'true' });
    await coordinator.until('h1', next, 'ended');
    assert.deepEqual(starts(), ['1']);
    const { assignment } = await coordinator.known('h1', task);
    assert.deepEqual([assignment.state, assignment.epoch], ['accepted', epoch]);
    await (await other.session('remote')).shutdown({ graceMs: 0 });
  },
);

test(
  'an end that is acknowledged before its state is stored is still reported, and then forgotten',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const gap = { moment: 'before ended', signal: 'SIGSTOP' } as const;
    await using agent = await AgentProcess.inGap(fleet, gap, 'true');
    const { task } = agent;
    assert.equal((await coordinator.ends(task)).length, 1);
    const acknowledged = coordinator.control('h1', 'acknowledge', { task, attempt: 1 });
    agent.resume();
    await acknowledged;
    await coordinator.until('h1', task, 'ended');
    const store = await world.store();
    await waitFor(async () => (await store.pending('remote')).length === 0, 'it to be acknowledged');
    await waitFor(() => {
      const { holds = [{}], owes = [{}] } = coordinator.heartbeats.at(-1) ?? {};
      return holds.length + owes.length === 0;
    }, 'it to be forgotten');
  },
);

test('running tasks outlive their agent, and the next one says when they have ended', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  const { command, starts, letGo } = fleet.waiting('echo done');
  const tasks = await Promise.all([1, 2, 3].map(() => coordinator.assign('h1', { command })));
  await using first = new AgentProcess(fleet);
  await waitFor(() => starts().length === 3, 'the tasks to start');
  await first.kill();
  await using second = new AgentProcess(fleet);
  await waitFor(() => coordinator.heartbeats.at(-1)?.holds.length === 3, 'the tasks to be adopted');
  // Between two agents, too.
  await second.kill();
  letGo();
  await using _third = new AgentProcess(fleet);
  for (const task of tasks) {
    const { end } = await coordinator.until('h1', task, 'ended');
    assert.deepEqual([end?.status, end?.tail], ['completed', 'done\n']);
  }
  assert.deepEqual(starts(), ['1', '1', '1']);
});

for (const moment of ['before spawn', 'after spawn'] as const)
  test(
    `an agent that dies ${moment} does not start a task again that was acknowledged and removed meanwhile`,
    options,
    async () => {
      await using fleet = await FleetWorld.start();
      const { coordinator, world } = fleet;
      const { command, starts } = fleet.noting();
      const gap = { moment, signal: 'SIGKILL' } as const;
      const task = await coordinator.assign('h1', { command });
      await using first = new AgentProcess(fleet, {}, gap);
      await first.reached(gap);
      const store = await world.store();
      const session = await store.session('remote');
      // Where nothing was spawned yet, it is another task that is removed.
      if (moment === 'before spawn') await (await session.spawn('true')).wait();
      await waitFor(async () => {
        for (const one of await store.pending('remote')) await session.task(one.taskId).ack();
        return (await session.prune({ olderThanMs: 0 })).taskIds.length > 0;
      }, 'the task to be removed');
      await session.close();
      await using _second = new AgentProcess(fleet);
      const { end, reason } = await coordinator.until('h1', task, 'ended');
      assert.deepEqual(starts(), ['1']);
      assert.equal(end?.status, moment === 'after spawn' ? 'lost' : 'completed');
      if (moment === 'after spawn') assert.match(reason ?? '', /Nobody knows whether the task ran/);
    },
  );

test(
  'a copy of a machine does not take over tasks that the machine has accepted, and reports nothing about them',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    // As a coordinator says it that hears the machine as well.
    coordinator.soleMs = 0;
    const { command, starts } = fleet.noting('exit 4');
    const running = fleet.noting('sleep 600');
    const runs = await coordinator.assign('h1', { command: running.command });
    const gap = { moment: 'before spawn', signal: 'SIGSTOP' } as const;
    await using first = new AgentProcess(fleet);
    await waitFor(() => running.starts().length === 1, 'one to run');
    await first.kill();
    await using machine = new AgentProcess(fleet, {}, gap);
    const task = await coordinator.assign('h1', { command });
    await machine.reached(gap);
    const copied = { store: join(world.base, 'copied-store'), dir: join(world.base, 'copied-agent') };
    cpSync(world.dir, copied.store, { recursive: true });
    cpSync(join(world.base, 'agent'), copied.dir, { recursive: true });
    // It names a process of the other machine, which is none of this one.
    rmSync(join(copied.dir, 'agent.lock'));
    const store = await world.store({ dir: copied.store, cgroup: null });
    await fleet.agent({ store, dir: copied.dir });
    const { lists, heartbeats } = coordinator;
    await waitFor(() => coordinator.lists > lists && heartbeats.length > 20, 'the copy to compare');
    // The copy takes what is new, so it has had the time to take what is not.
    const next = await coordinator.assign('h1', { command: 'true' });
    await coordinator.until('h1', next, 'ended');
    assert.deepEqual(starts(), []);
    for (const one of [task, runs])
      assert.equal((await coordinator.known('h1', one)).assignment.state, 'accepted');
    machine.resume();
    const { end } = await coordinator.until('h1', task, 'ended');
    assert.equal(end?.exitCode, 4);
    assert.deepEqual([starts(), running.starts()], [['1'], ['1']]);
  },
);

test(
  'a restarted machine that is alone says of a task that it was about to start that nobody knows its fate',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    coordinator.soleMs = 0;
    const { command, starts } = fleet.noting();
    const gap = { moment: 'before spawn', signal: 'SIGKILL' } as const;
    const task = await coordinator.assign('h1', { command });
    await using first = new AgentProcess(fleet, {}, gap);
    await first.reached(gap);
    // Another folder is another start of a machine.
    cpSync(join(world.base, 'agent'), join(world.base, 'agent-anew'), { recursive: true });
    await fleet.agent({ dir: join(world.base, 'agent-anew') });
    const { heartbeats } = coordinator;
    const heard = heartbeats.length;
    await waitFor(() => heartbeats.length > heard + 5, 'some heartbeats');
    assert.equal((await coordinator.known('h1', task)).assignment.state, 'accepted');
    coordinator.soleMs = coordinator.leaseMs;
    const { end } = await coordinator.until('h1', task, 'ended');
    assert.deepEqual([end?.status, starts()], ['lost', []]);
  },
);

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

test('of two agents with one credential on two stores, one starts a task', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  const all = Array.from({ length: 20 }, () => fleet.noting());
  const other = await world.store({ dir: join(world.base, 'other-store'), cgroup: null });
  const one = await fleet.agent({ heartbeatMs: 20 });
  const two = await fleet.agent({ heartbeatMs: 20, store: other, dir: join(world.base, 'other-agent') });
  await waitFor(() => one.hasLease && two.hasLease, 'both to have a lease');
  const tasks = await Promise.all(all.map(({ command }) => coordinator.assign('h1', { command })));
  for (const task of tasks) await coordinator.until('h1', task, 'ended');
  assert.deepEqual(
    all.map(({ starts }) => starts()),
    all.map(() => ['1']),
  );
  for (const task of tasks)
    assert.deepEqual(await coordinator.states('h1', task), ['assigned', 'accepted', 'ended']);
});

test(
  'an agent does not touch tasks that the agent of another store has accepted, even when that agent is gone',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const { command, starts } = fleet.noting('sleep 600');
    const one = await fleet.agent();
    const task = await coordinator.assign('h1', { command });
    await coordinator.until('h1', task, 'accepted');
    await waitFor(() => starts().length === 1, 'it to start');
    await one.close();
    const other = await world.store({ dir: join(world.base, 'other-store'), cgroup: null });
    await fleet.agent({ store: other, dir: join(world.base, 'other-agent') });
    const second = await coordinator.assign('h1', { command: 'true' });
    await coordinator.until('h1', second, 'ended');
    assert.deepEqual(starts(), ['1']);
    assert.equal((await coordinator.known('h1', task)).assignment.state, 'accepted');
  },
);

test('of two agents on one folder, the second one refuses to start', options, async () => {
  await using fleet = await FleetWorld.start();
  const first = await fleet.agent();
  await assert.rejects(fleet.agent(), { code: 'FLEET_HOST', message: new RegExp(`pid ${process.pid} `) });
  await first.close();
  await fleet.agent();
});

test('an agent whose lease the coordinator gives to another one starts nothing', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  coordinator.epoch = 'another';
  const { command, starts } = fleet.noting();
  const task = await coordinator.assign('h1', { command });
  await fleet.agent();
  await waitFor(() => coordinator.heartbeats.length > 3, 'some heartbeats');
  assert.deepEqual(starts(), []);
  assert.equal((await coordinator.known('h1', task)).assignment.state, 'assigned');
});

test(
  'after the server has lost all its data, unacknowledged ends and running tasks are published again',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator } = fleet;
    const agent = await fleet.agent();
    const ended = fleet.noting();
    const running = fleet.waiting();
    const owed = await coordinator.assign('h1', { command: ended.command });
    const runs = await coordinator.assign('h1', { command: running.command });
    await coordinator.until('h1', owed, 'ended');
    await waitFor(
      () => agent.counts().told === 1 && running.starts().length === 1,
      'one to end and one to run',
    );
    await fleet.restartServer('nats-anew');
    await waitFor(
      () =>
        coordinator.makeStreams().then(
          () => true,
          () => false,
        ),
      'the streams to be made',
    );
    const again = await coordinator.until('h1', owed, 'ended');
    assert.equal(again.end?.status, 'completed');
    assert.equal((await coordinator.ends(owed)).length, 1);
    await coordinator.until('h1', runs, 'accepted');
    running.letGo();
    await coordinator.until('h1', runs, 'ended');
    assert.deepEqual([ended.starts(), running.starts()], [['1'], ['1']]);
  },
);

test('a server that was away and kept its data gets nothing twice', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  const agent = await fleet.agent();
  const owed = await coordinator.assign('h1', { command: 'true' });
  const { command, starts, letGo } = fleet.waiting();
  const runs = await coordinator.assign('h1', { command });
  await coordinator.until('h1', owed, 'ended');
  await waitFor(() => agent.counts().told === 1 && starts().length === 1, 'one to end and one to run');
  await fleet.server.kill();
  // It ends while nobody can be told.
  letGo();
  await waitFor(() => agent.counts().over === 1, 'the other one to end');
  await fleet.restartServer('nats');
  await coordinator.until('h1', runs, 'ended');
  await waitFor(() => agent.counts().told === 2, 'both to be told');
  for (const task of [owed, runs]) {
    assert.equal((await coordinator.ends(task)).length, 1);
    assert.deepEqual(await coordinator.states('h1', task), ['assigned', 'accepted', 'ended']);
  }
  assert.deepEqual(starts(), ['1']);
});

test(
  'a task that was given up although its host is up is reported again, and so is its end',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const agent = await fleet.agent();
    const { command, starts, letGo } = fleet.waiting();
    const task = await coordinator.assign('h1', { command });
    await waitFor(() => agent.counts().running === 1, 'it to run');
    // Twice: the server may take the second message for the first one.
    for (const _ of [1, 2]) {
      await coordinator.move('h1', task, 'unknown');
      const { epoch } = await coordinator.until('h1', task, 'accepted');
      // The next agent takes for its own only what is noted here.
      const record = JSON.parse(
        readFileSync(join(world.base, 'agent', 'attempts', `${task}.1.json`), 'utf8'),
      );
      assert.ok(record.epochs.includes(epoch), JSON.stringify(record.epochs));
    }
    await coordinator.move('h1', task, 'unknown');
    letGo();
    const { end } = await coordinator.until('h1', task, 'ended');
    assert.equal(end?.status, 'completed');
    assert.deepEqual(starts(), ['1']);
  },
);

test('a fenced task is stopped, and its end is not reported', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  const agent = await fleet.agent({ heartbeatMs: 200 });
  const task = await coordinator.assign('h1', { command: 'sleep 600' });
  await waitFor(() => agent.counts().running === 1, 'it to run');
  await coordinator.move('h1', task, 'revoked');
  await waitFor(() => Object.keys(agent.counts()).length === 0, 'it to be let go');
  assert.deepEqual(world.commandPids(), []);
  assert.deepEqual(await coordinator.ends(task), []);
  assert.deepEqual(await (await world.store()).pending('remote'), []);
});

for (const when of ['running', 'ended'] as const) {
  test(`an agent whose folder was removed adopts its ${when} tasks by their keys`, options, async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const first = await fleet.agent();
    const { command, starts, letGo } = fleet.waiting();
    const task = await coordinator.assign('h1', { command });
    await waitFor(() => starts().length === 1, 'it to start');
    await coordinator.until('h1', task, 'accepted');
    await first.close();
    rmSync(join(world.base, 'agent'), { recursive: true });
    if (when === 'running') await fleet.agent();
    letGo();
    if (when === 'ended') {
      await waitFor(() => world.commandPids().length === 0, 'it to end');
      await fleet.agent();
    }
    const { end } = await coordinator.until('h1', task, 'ended');
    assert.equal(end?.status, 'completed');
    assert.equal((await coordinator.ends(task)).length, 1);
    assert.deepEqual(starts(), ['1']);
  });
}

for (const removed of [false, true]) {
  const what = removed ? 'acknowledged and removed' : 'acknowledged';
  test(
    `an end that was ${what} on the host while no agent ran is reported, and nothing starts again`,
    options,
    async () => {
      await using fleet = await FleetWorld.start();
      const { coordinator, world } = fleet;
      const first = await fleet.agent();
      const { command, starts, letGo } = fleet.waiting();
      const task = await coordinator.assign('h1', { command });
      await waitFor(() => starts().length === 1, 'it to start');
      await coordinator.until('h1', task, 'accepted');
      await first.close();
      letGo();
      const store = await world.store({ cgroup: null });
      const session = await store.session('remote');
      const [local] = await session.tasks();
      await session.task(local?.taskId ?? '').wait();
      if (removed) await session.prune({ olderThanMs: 0 });
      assert.equal((await session.tasks()).length, removed ? 0 : 1);
      await session.close();
      await fleet.agent();
      const { end } = await coordinator.until('h1', task, 'ended');
      assert.equal(end?.status, removed ? 'lost' : 'completed');
      assert.deepEqual(starts(), ['1']);
    },
  );
}

test('without a lease running tasks go on, or are stopped if that was asked for', options, async () => {
  for (const fence of ['keep', 'stop'] as const) {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    coordinator.leaseMs = 500;
    const agent = await fleet.agent({ fence });
    const { command, starts } = fleet.noting('sleep 600');
    const task = await coordinator.assign('h1', { command });
    await coordinator.until('h1', task, 'accepted');
    await waitFor(() => starts().length === 1, 'it to start');
    coordinator.answers = false;
    await waitFor(() => !agent.hasLease, 'the lease to pass');
    const { length } = coordinator.heartbeats;
    if (fence === 'stop') await waitFor(() => world.commandPids().length === 0, 'the task to be stopped');
    else {
      await waitFor(() => coordinator.heartbeats.length > length + 2, 'more heartbeats');
      assert.notEqual(world.commandPids().length, 0);
    }
    coordinator.answers = true;
    if (fence === 'stop') assert.equal((await coordinator.until('h1', task, 'ended')).end?.status, 'killed');
  }
});

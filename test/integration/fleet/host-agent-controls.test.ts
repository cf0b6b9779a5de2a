import assert from 'node:assert/strict';
import { test } from 'node:test';
import { subjects } from '../../../src/fleet/wire/names.ts';
import { sign, signingKey } from '../../../src/fleet/wire/signed.ts';
import type { TaskSnapshot } from '../../../src/index.ts';
import { FleetWorld } from '../../support/fleet/agent-world.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

interface Range {
  readonly offset: number;
  readonly nextOffset: number;
  readonly size: number;
  readonly bytes: string;
}

test(
  'a task is shown, read, written to and killed by its id in the fleet, and by its id on the host',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const agent = await fleet.agent();
    const task = await coordinator.assign('h1', {
      command: 'echo begin; read -r line; echo "got $line"; sleep 600',
      stdin: 'open',
    });
    await coordinator.until('h1', task, 'accepted');
    await waitFor(() => agent.counts().running === 1, 'the task to run');
    const show = async (id: string) =>
      (await coordinator.control<{ snapshot: TaskSnapshot }>('h1', 'show', { task: id })).snapshot;
    const { taskId: local } = await show(task);
    assert.equal((await show(local)).key, `fleet.${task}.1`);
    await waitFor(async () => (await show(task)).startedAt !== null, 'the command to run');
    const data = Buffer.from('words\n').toString('base64');
    assert.deepEqual(await coordinator.control('h1', 'send', { task, data, eof: false }), { v: 1 });
    let range: Range | undefined;
    await waitFor(async () => {
      range = await coordinator.control<Range>('h1', 'read', { task: local, offset: 6, maxBytes: 100 });
      return Buffer.from(range.bytes, 'base64').toString() === 'got words\n';
    }, 'what was sent');
    assert.deepEqual([range?.offset, range?.nextOffset, range?.size], [6, 16, 16]);
    const killed = await coordinator.control<{ snapshot: TaskSnapshot }>('h1', 'kill', { task, graceMs: 0 });
    assert.equal(killed.snapshot.status, 'killed');
    assert.equal(killed.snapshot.delivered, false);
    await coordinator.until('h1', task, 'ended');
    assert.deepEqual(world.commandPids(), []);
    const gone = await coordinator.control('h1', 'show', { task: 'bgb-000000000000' });
    assert.equal(gone.code, 'TASK_NOT_FOUND');
  },
);

test('tasks of the host that are not of the fleet are shown and killed, too', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  const agent = await fleet.agent();
  await waitFor(() => agent.hasLease, 'the lease');
  const session = await world.session('local', { store: { cgroup: null } });
  const { id } = await session.spawn('sleep 600');
  const { snapshot } = await coordinator.control<{ snapshot: TaskSnapshot }>('h1', 'kill', {
    task: id,
    graceMs: 0,
  });
  assert.equal(snapshot.status, 'killed');
});

test('a task that is killed before it has started does not start', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator } = fleet;
  // Its place is taken until it is killed.
  const agent = await fleet.agent({ slots: 1 });
  const first = await coordinator.assign('h1', { command: 'sleep 600' });
  await coordinator.until('h1', first, 'accepted');
  const { command, starts } = fleet.noting();
  const second = await coordinator.assign('h1', { command });
  await waitFor(() => agent.counts().offered === 1, 'the second one to be offered');
  await coordinator.move('h1', second, 'revoked');
  await coordinator.control('h1', 'kill', { task: first, graceMs: 0 });
  await waitFor(() => agent.counts().told === 1 && !agent.counts().offered, 'the first one to be told');
  assert.deepEqual(starts(), []);
});

test(
  'a control message that is forged, for another host, already used, or with a foreign reply does nothing',
  options,
  async () => {
    await using fleet = await FleetWorld.start();
    const { coordinator, world } = fleet;
    const { connection } = coordinator;
    const agent = await fleet.agent();
    const task = await coordinator.assign('h1', { command: 'sleep 600' });
    await coordinator.until('h1', task, 'accepted');
    await waitFor(() => agent.counts().running === 1, 'the task to run');
    const answers: string[] = [];
    for (const subject of ['_INBOX.>', 'ctl.h2.>'])
      connection.subscribe(subject, { callback: (_error, { subject: to }) => void answers.push(to) });
    const kill = subjects.control('h1', 'kill');
    const reply = '_INBOX.other.1';
    const body = { v: 1, task, graceMs: 0, reply };
    const stranger = signingKey();
    const wrong: [Uint8Array, string][] = [
      [sign(body, stranger, { audience: 'host:h1', subject: kill }), reply],
      [coordinator.signed('h1', 'kill', body, 'host:h2'), reply],
      [coordinator.signed('h1', 'show', body), reply],
      [Buffer.from(JSON.stringify(body)), reply],
      // The reply of the message is not the signed one, or none that a host may answer to.
      [coordinator.signed('h1', 'kill', body), 'ctl.h2.kill'],
      [coordinator.signed('h1', 'kill', { ...body, reply: 'ctl.h2.kill' }), 'ctl.h2.kill'],
      [coordinator.signed('h1', 'kill', { ...body, graceMs: -1 }), reply],
      [coordinator.signed('h1', 'kill', { ...body, task: '../x' }), reply],
    ];
    for (const [bytes, to] of wrong) connection.publish(kill, bytes, { reply: to });
    const once = coordinator.signed('h1', 'show', { ...body, reply: '_INBOX.other.2' });
    for (const _ of [1, 2])
      connection.publish(subjects.control('h1', 'show'), once, { reply: '_INBOX.other.2' });
    await waitFor(() => answers.includes('_INBOX.other.2'), 'the right one to be answered');
    assert.equal(agent.counts().running, 1);
    assert.notDeepEqual(world.commandPids(), []);
    // What was done for a forged one would have been answered by the time when the right one is done.
    await coordinator.control('h1', 'kill', { task, graceMs: 0 });
    await coordinator.until('h1', task, 'ended');
    assert.deepEqual(
      answers.filter((to) => to.startsWith('_INBOX.other') || to.startsWith('ctl.')),
      ['_INBOX.other.2'],
    );
    assert.match(world.takeWarnings(), /another reply subject than the signed one/);
  },
);

test('a lease with another signature, or for another host, is ignored', options, async () => {
  await using fleet = await FleetWorld.start();
  const { coordinator, world } = fleet;
  const { command, starts } = fleet.noting();
  await coordinator.assign('h1', { command });
  const agent = await fleet.agent({ coordinators: new Set([signingKey().publicKey]) });
  await waitFor(() => coordinator.heartbeats.length > 3, 'some heartbeats');
  assert.equal(agent.hasLease, false);
  assert.deepEqual(starts(), []);
  assert.match(world.takeWarnings(), /signer that is not known/);
});

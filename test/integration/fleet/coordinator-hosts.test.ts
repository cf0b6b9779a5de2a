import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busOf } from '../../../src/fleet/coordinator/bus.ts';
import { Coordinator } from '../../../src/fleet/coordinator/coordinator.ts';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import type { FakeClient } from '../../support/fleet/client.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { endedBy } from '../../support/fleet/host.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const skip = withoutNats;

async function inState(client: FakeClient, task: string, state: RemoteTask['state']): Promise<RemoteTask> {
  let found = await client.show(task);
  await waitFor(async () => {
    found = await client.show(task);
    return found.state === state;
  }, `${task} to be ${state}`);
  return found;
}

test('a task that a silent host has accepted is unknown, until the host is back and reports', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun(2500);
  const [one, two] = [await client.run(), await client.run()];
  const [first, second] = (await host.lease()).assignments;
  assert.ok(first && second);
  const written = [await host.accept(first), await host.accept(second)];
  assert.ok(written.every((each) => typeof each === 'object'));
  const unknown = await inState(client, one.task, 'unknown');
  assert.deepEqual([unknown.mayHaveStarted, unknown.next, unknown.host], [true, null, 'h1']);
  await inState(client, two.task, 'unknown');
  await assert.rejects(client.get('kill', { task: one.task, graceMs: null }), /HOST_UNREACHABLE/);
  // Its own write was after its acceptance, and so is refused: it has to ask first.
  assert.equal(await host.end(first.assignment, first.seq + 2), 'lost');

  const { assignments } = await host.lease({}, 'list');
  assert.deepEqual(
    assignments.map(({ assignment: { task, state } }) => [task, state]),
    [
      [one.task, 'unknown'],
      [two.task, 'unknown'],
    ],
  );
  const [lostFirst, lostSecond] = assignments;
  assert.ok(lostFirst && lostSecond);
  await host.end(first.assignment, lostFirst.seq);
  await host.write({ ...second.assignment, state: 'accepted', by: 'host' }, lostSecond.seq);
  assert.equal((await inState(client, one.task, 'ended')).end?.exitCode, 0);
  // It is still silent, so that it becomes unknown again: the same state is written twice within the window of ids.
  await inState(client, two.task, 'accepted');
  await inState(client, two.task, 'unknown');
});

test('a task that a lost host has not accepted goes to another one', { skip }, async () => {
  await using fleet = await TestFleet.start();
  const { client, host: silent } = await fleet.begun(2500);
  const { task, host } = await client.run();
  const numbered = await silent.offered();
  assert.equal(host, 'h1');
  const other = await fleet.busyHost('h2', { everyMs: 100 });
  await waitFor(() => other.starts.length === 1, 'the other host to start it');
  assert.deepEqual(other.starts, [`${task}.2`]);
  assert.equal(await silent.accept(numbered), 'lost');
  assert.equal((await inState(client, task, 'ended')).host, 'h2');
});

test('a task that a client has stopped does not start elsewhere when its host is lost before the end is stored', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator(2500);
  const client = await fleet.client();
  const silent = await fleet.host('h1');
  await silent.lease();
  const { task } = await client.run({ redispatch: 3 });
  const [numbered] = (await silent.lease()).assignments;
  assert.ok(numbered);
  assert.equal(typeof (await silent.accept(numbered)), 'object');
  await inState(client, task, 'accepted');
  // The host says that it has stopped it, and is lost with the end.
  await client.get('kill', { task, graceMs: null });
  assert.deepEqual(silent.orders.at(-1)?.verb, 'kill');
  const other = await fleet.busyHost('h2', { everyMs: 100 });
  const { reason, host } = await inState(client, task, 'unknown');
  assert.deepEqual([reason, host], ['its host was lost while the task was being stopped', 'h1']);
  const { task: next } = await client.run();
  await other.started(`${next}.1`);
  assert.deepEqual(other.starts, [`${next}.1`]);
  // What the host says when it is back still decides.
  const [back] = (await silent.lease({}, 'list')).assignments;
  assert.equal(back?.assignment.state, 'unknown');
  await silent.end(numbered.assignment, back?.seq ?? 0, 9);
  assert.equal((await inState(client, task, 'ended')).end?.exitCode, 9);
});

test('a host whose clock is an hour off gets its leases and does its work', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const client = await fleet.client();
  for (const [name, clockOffsetMs] of [
    ['h1', 3_600_000],
    ['h2', -3_600_000],
  ] as const) {
    const host = await fleet.busyHost(name, { everyMs: 100 }, { clockOffsetMs });
    await waitFor(async () => (await client.hosts()).some((one) => one.host === name), 'the host');
    const { task } = await client.run({ host: name, startByMs: 60_000 });
    await inState(client, task, 'ended');
    assert.deepEqual(host.starts, [`${task}.1`]);
  }
});

test('a host with another protocol version gets no lease and no task, and is told why', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const client = await fleet.client();
  const answer = await (await fleet.host('h1', { v: 2 })).beat();
  assert.ok(answer !== null && 'code' in answer);
  assert.equal(answer.code, 'FLEET_PACKAGES');
  assert.match(
    answer.message,
    /expected a heartbeat of version 1; found version 2.*Upgrade outlive where the coordinator runs/,
  );
  await assert.rejects(client.run(), /FLEET_BUSY/);
  // Upgraded while its tasks run.
  const host = await fleet.host('h2');
  await host.lease();
  const { task } = await client.run();
  const numbered = await host.offered();
  await host.accept(numbered);
  const newer = await fleet.host('h2', { v: 2, epoch: 'e2' });
  assert.ok('code' in ((await newer.beat()) ?? {}));
  assert.match((await client.hosts()).find((one) => one.host === 'h2')?.refused ?? '', /version 2/);
  assert.equal((await client.show(task)).state, 'accepted');
  await assert.rejects(client.run(), /h2 is of another version/);
});

test('of two agents with one credential the later one gets the lease, but if both go on, neither does', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator(2500);
  const client = await fleet.client();
  const [older, newer] = [await fleet.host('h1'), await fleet.host('h1', { epoch: 'e2' })];
  assert.equal((await older.lease()).epoch, 'e1');
  const { task } = await client.run();
  const { epoch, assignments, soleMs } = await newer.lease();
  assert.deepEqual([epoch, assignments.length, typeof soleMs], ['e2', 1, 'number']);
  await waitFor(async () => {
    const answers = [await older.beat(), await newer.beat()];
    return answers.every((answer) => answer !== null && 'code' in answer && answer.code === 'FLEET_HOST');
  }, 'both to get nothing');
  const [host] = await client.hosts();
  assert.match(host?.refused ?? '', /two that have its credential[\s\S]*outlive fleet remove h1/);
  await assert.rejects(client.run(), /h1 is used by two agents/);
  // What waited there goes elsewhere.
  const other = await fleet.busyHost('h2', { everyMs: 100 });
  await other.started(`${task}.2`);
  // One of them has ended.
  await waitFor(async () => {
    const answer = await newer.beat();
    return answer !== null && 'epoch' in answer;
  }, 'the other one to be believed');
});

test('every coordinator hears a host, whichever one answers, and whatever the host asks for', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  for (let n = 0; n < 3; n += 1) await fleet.coordinator();
  const client = await fleet.client();
  await (await fleet.host('h1')).lease({}, 'list');
  // Each of these is answered by one of the three.
  for (let n = 0; n < 20; n += 1)
    assert.deepEqual(
      (await client.hosts()).map(({ host, state }) => `${host} ${state}`),
      ['h1 live'],
    );
});

test('an answer goes only to the host that asked', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const host = await fleet.host('h1');
  await host.lease();
  const connection = await fleet.connection();
  const got: string[] = [];
  for (const subject of ['ctl.h2.kill', '_INBOX.h2.x', '_INBOX.h1.x'])
    connection.subscribe(subject, { callback: (_error, message) => void got.push(message.subject) });
  await connection.flush();
  const heartbeat = { v: 1, host: 'h1', version: '', epoch: 'e1', labels: {}, slots: 1, holds: [] };
  for (const reply of ['ctl.h2.kill', '_INBOX.h2.x', '_INBOX.h1.x'])
    host.connection.publish('hb.h1', JSON.stringify(heartbeat), { reply });
  await waitFor(() => got.length > 0, 'an answer');
  await host.lease();
  assert.deepEqual(got, ['_INBOX.h1.x']);
});

test('messages that a host forges on its own subjects are not believed, and are in the audit', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const client = await fleet.client();
  const host = await fleet.host('h1');
  const audited: string[] = [];
  (await fleet.connection()).subscribe('audit.h1', {
    callback: (_error, message) => void audited.push(message.json<{ what: string }>().what),
  });
  await host.lease();
  const { task } = await client.run();
  const numbered = await host.offered();
  const { assignment } = numbered;
  // The end of something that it never accepted, another attempt, another task, the coordinator's states, and no JSON at all.
  await host.write(endedBy(assignment), null);
  await host.write({ ...endedBy(assignment), attempt: 2 }, null);
  await host.write({ ...endedBy(assignment), task: 'bgb-00000000000f' }, null);
  await host.write({ ...assignment, state: 'revoked', next: 2, accepted: true, redispatch: 5 }, null);
  await host.write({ v: 1 } as never, null).catch(() => null);
  await waitFor(() => audited.filter((what) => what === 'refused').length >= 4, 'the audit');
  const seen = await client.show(task);
  assert.deepEqual([seen.state, seen.attempt, seen.mayHaveStarted], ['assigned', 1, false]);
  assert.equal((await client.get<RemoteTask[]>('list', everything)).length, 1);
  // What is true can be written all the same, after the forged ones.
  const cancelled = await client.get<RemoteTask>('kill', { task, graceMs: null });
  assert.deepEqual([cancelled.state, cancelled.mayHaveStarted], ['revoked', false]);
});

test('a cordoned host gets no new tasks, and a drained one gives back its waiting tasks', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const { client, host } = await fleet.begun();
  const { task } = await client.run();
  await client.get('cordon', { host: 'h1', on: true });
  await waitFor(async () => (await host.lease()).cordoned, 'both coordinators to know');
  await waitFor(async () => (await client.hosts())[0]?.cordoned === true, 'both to say so');
  await assert.rejects(client.run(), /FLEET_BUSY: .* h1 is cordoned/);
  const other = await fleet.busyHost('h2', { everyMs: 100 });
  await waitFor(async () => (await client.hosts()).length === 2, 'the other host');
  await client.get('drain', { host: 'h1', on: true });
  await waitFor(() => other.starts.length === 1, 'it to move');
  assert.deepEqual(other.starts, [`${task}.2`]);
  await client.get('drain', { host: 'h1', on: false });
  await waitFor(async () => !(await host.lease()).cordoned, 'it to be open again');
  await assert.rejects(client.get('cordon', { host: 'h9', on: true }), /FLEET_HOST/);
});

test('a removed host gets no lease; once it is lost it can be forgotten, and its tasks are given up', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun(2500);
  const { task } = await client.run();
  const numbered = await host.offered();
  await host.accept(numbered);
  await inState(client, task, 'accepted');
  await client.get('remove', { host: 'h1', on: true });
  const answer = await host.beat();
  assert.ok(answer !== null && 'code' in answer && answer.code === 'FLEET_REFUSED');
  await assert.rejects(
    client.get('forget', { host: 'h1', on: true }),
    /FLEET_HOST: expected a host that is lost; found that h1 is removed, .* Ask again in 4 s\.$/,
  );
  await inState(client, task, 'unknown');
  await client.get('forget', { host: 'h1', on: true });
  const given = await client.show(task);
  assert.deepEqual([given.state, given.mayHaveStarted, given.next], ['revoked', true, null]);
  assert.deepEqual(await client.hosts(), []);
});

const everything = { session: null, host: null, after: null, most: 100 };

test('a host that claims labels and slots without an invitation for them attracts no tasks', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const invited = new Map([
    ['h1', { labels: { gpu: '' }, slots: 4 }],
    ['liar', { labels: {}, slots: 1 }],
  ]);
  await using _coordinator = await Coordinator.start({
    connection: await fleet.connection(),
    key: fleet.key,
    roleOf: (key) => fleet.roles.get(key) ?? null,
    invitedAs: (host) => invited.get(host) ?? null,
  });
  const client = await fleet.client();
  await (await fleet.host('liar', { labels: { gpu: '', prod: 'yes' }, slots: 100_000 })).lease();
  await assert.rejects(client.run({ labels: { prod: 'yes' } }), /FLEET_BUSY: .* none that matches/);
  await (await fleet.host('h1')).lease();
  // Each has as much room for its slots as it was invited with.
  const hosts = [];
  for (let count = 0; count < 5; count += 1) hosts.push((await client.run()).host);
  assert.deepEqual(hosts.sort(), ['h1', 'h1', 'h1', 'h1', 'liar']);
  assert.equal((await client.run({ labels: { gpu: null } })).host, 'h1');
});

test('a host that reports about itself a thousand times is stored a few times', { skip }, async () => {
  await using fleet = await TestFleet.start();
  const { host } = await fleet.begun();
  const { manager } = await busOf(await fleet.connection());
  const written = async (): Promise<number> => (await manager.streams.info('KV_HOSTS')).state.last_seq;
  const [before, begin] = [await written(), performance.now()];
  const heartbeat = { v: 1, host: 'h1', epoch: host.epoch, labels: {}, slots: 4, holds: [], owes: [] };
  for (let count = 0; count < 1_000; count += 1) {
    const said = JSON.stringify({ ...heartbeat, version: `0.0.${count}` });
    host.connection.publish('hb.h1', said, { reply: '_INBOX.h1.none' });
  }
  await host.connection.flush();
  // The coordinator has heard all of them when it answers.
  await host.lease();
  const seconds = (performance.now() - begin) / 1_000;
  assert.ok((await written()) - before <= 2 + seconds);
});

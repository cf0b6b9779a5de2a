import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Numbered } from '../../../src/fleet/wire/messages.ts';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const skip = withoutNats;

test('a task is assigned, accepted, ended and delivered, and its host is told', { skip }, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun();
  const run = await client.run({ spec: { command: 'make', session: 's' } });
  assert.deepEqual([run.host, run.attempt, run.state, run.mayHaveStarted], ['h1', 1, 'assigned', false]);

  const numbered = await host.offered();
  assert.equal(numbered.assignment.spec.command, 'make');
  const accepted = await host.accept(numbered);
  assert.ok(typeof accepted === 'object');
  const asked = { task: run.task, until: 'accepted', waitMs: 5000 };
  const seen = await client.get<RemoteTask>('wait', asked, 6000);
  assert.deepEqual([seen.state, seen.mayHaveStarted], ['accepted', true]);

  const waiting = client.get<RemoteTask[]>('completions', { session: 's', most: 10, waitMs: 5000 }, 6000);
  await host.end(numbered.assignment, accepted.seq, 3);
  const [end] = await waiting;
  assert.deepEqual([end?.task, end?.end?.exitCode], [run.task, 3]);
  // Until it is acknowledged it is told again.
  const again = await client.get<RemoteTask[]>('completions', { session: 's', most: 10, waitMs: 0 });
  assert.deepEqual(
    again.map(({ task }) => task),
    [run.task],
  );

  const ends = [{ task: run.task, attempt: 1 }];
  assert.deepEqual(await client.get('acknowledge', { session: 'other', ends }), []);
  assert.deepEqual(await client.get('acknowledge', { session: 's', ends }), ends);
  assert.deepEqual(await client.get('completions', { session: 's', most: 10, waitMs: 0 }), []);
  assert.deepEqual((await host.lease({ owes: ends })).acknowledged, ends);
  await waitFor(() => host.orders.length === 2, 'the host to be told');
  assert.deepEqual(
    host.orders.map(({ verb }) => verb),
    ['offer', 'acknowledge'],
  );
  assert.equal((await client.show(run.task)).state, 'delivered');
});

test('the same request gives the same task, a separate one for each client', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const [one, other] = [await fleet.client(), await fleet.client()];
  await (await fleet.host('h1')).lease();
  const request = randomUUID();
  const answers = await Promise.all(Array.from({ length: 20 }, () => one.run({ request })));
  assert.equal(new Set(answers.map(({ task }) => task)).size, 1);
  assert.notEqual((await other.run({ request })).task, answers[0]?.task);
  assert.equal((await one.get<RemoteTask[]>('list', everything)).length, 2);
});

test('each role may do what belongs to it, and an unknown client may do nothing', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const [viewer, agent, nobody] = await Promise.all(
    (['viewer', 'agent', null] as const).map((role) => fleet.client(role)),
  );
  assert.ok(viewer && agent && nobody);
  await (await fleet.host('h1')).lease();
  assert.equal((await viewer.hosts()).length, 1);
  await assert.rejects(viewer.run(), /FLEET_REFUSED: .* found one with the role viewer/);
  const { task } = await agent.run();
  await assert.rejects(viewer.get('kill', { task, graceMs: null }), /FLEET_REFUSED/);
  await assert.rejects(agent.get('cordon', { host: 'h1', on: true }), /FLEET_REFUSED/);
  await assert.rejects(nobody.hosts(), /FLEET_FORGED: .* a signer that is not known here/);
});

test('a task that no host has accepted is cancelled, and one that a host has is stopped there', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun();
  const first = await client.run();
  const cancelled = await client.get<RemoteTask>('kill', { task: first.task, graceMs: null });
  assert.deepEqual([cancelled.state, cancelled.mayHaveStarted, cancelled.next], ['revoked', false, null]);
  assert.deepEqual((await host.lease()).assignments, []);

  const second = await client.run();
  const numbered = await host.offered();
  await host.accept(numbered);
  const asked = { task: second.task, until: 'accepted', waitMs: 5000 };
  await client.get('wait', asked, 6000);
  await client.get('kill', { task: second.task, graceMs: 500 });
  const order = host.orders.find(({ verb }) => verb === 'kill');
  assert.deepEqual([order?.body.task, order?.body.graceMs], [second.task, 500]);
  await host.connection.close();
  await assert.rejects(client.get('kill', { task: second.task, graceMs: null }), /HOST_UNREACHABLE/);
});

test('a waiting request is answered when its host has accepted, when it is too late for that, or when its time is up', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun();
  assert.equal((await client.run({ acceptMs: 50 })).state, 'assigned');
  const request = randomUUID();
  const waiting = client.run({ request, acceptMs: 20_000 });
  await waitFor(() => host.orders.length === 2, 'the offer');
  assert.equal(typeof (await host.accept(host.orders[1]?.body.offer as Numbered)), 'object');
  assert.equal((await waiting).state, 'accepted');
  assert.equal((await client.run({ request, acceptMs: 20_000 })).state, 'accepted');
  assert.equal((await client.run({ startByMs: 200, acceptMs: 20_000 })).state, 'revoked');
  await assert.rejects(client.run({ acceptMs: 60_001 }), /FLEET_FORGED/);
});

test('a task that no host accepts in time is revoked, and reported as never started', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun();
  const { task } = await client.run({ startByMs: 200 });
  const [numbered] = (await host.lease()).assignments;
  const [told] = await client.get<RemoteTask[]>(
    'completions',
    { session: 's1', most: 1, waitMs: 20_000 },
    25_000,
  );
  assert.deepEqual([told?.task, told?.state, told?.mayHaveStarted], [task, 'revoked', false]);
  assert.ok(numbered);
  assert.equal(await host.accept(numbered), 'lost');
  assert.deepEqual(await client.get('acknowledge', { session: 's1', ends: [{ task, attempt: 1 }] }), [
    { task, attempt: 1 },
  ]);
});

test('a starting coordinator knows what its predecessors have written', { skip }, async () => {
  await using fleet = await TestFleet.start();
  const first = await fleet.coordinator();
  const host = await fleet.busyHost('h1', { everyMs: 100 });
  const client = await fleet.client();
  await waitFor(async () => (await client.hosts()).length === 1, 'the host to be heard');
  const tasks = await Promise.all(Array.from({ length: 30 }, () => client.run()));
  await waitFor(() => host.starts.length === 30, 'all to start');
  await first[Symbol.asyncDispose]();
  await fleet.coordinator();
  const ended = await client.get<RemoteTask[]>('completions', { session: 's1', most: 100, waitMs: 0 });
  assert.deepEqual(ended.map(({ task }) => task).sort(), tasks.map(({ task }) => task).sort());
  assert.equal((await client.hosts())[0]?.host, 'h1');
});

test('a task that is too large, of another era or malformed is refused', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const client = await fleet.client();
  await (await fleet.host('h1')).lease();
  const { era } = await client.ask('hosts', {});
  await client.run({ era });
  await assert.rejects(client.run({ era: '2020-01-01T00:00:00Z' }), /FLEET_UNREACHABLE: .* are lost/);
  await assert.rejects(client.run({ spec: { command: 'x'.repeat(65 * 1024) } }), /INVALID_ARGUMENT/);
  await assert.rejects(client.run({ host: 'h9' }), /FLEET_HOST/);
  await assert.rejects(client.run({ labels: { gpu: null } }), /FLEET_BUSY/);
  await assert.rejects(client.get('run', { request: 'r' }), /FLEET_FORGED/);
  await assert.rejects(client.show('bgb-000000000000'), /TASK_NOT_FOUND/);
});

test('at most a hundred tasks wait on a host', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const client = await fleet.client();
  await (await fleet.host('h1')).lease();
  const answers = await Promise.allSettled(Array.from({ length: 120 }, () => client.run()));
  const refused = answers.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  assert.equal(refused.length, 20);
  assert.match(refused[0] ?? '', /FLEET_BUSY: .* h1 is full/);
});

test('the stream of assignments takes no headers with which a host could erase what others wrote', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const manager = await jetstreamManager(await fleet.connection());
  const { config } = await manager.streams.info('ASSIGN');
  assert.equal(config.allow_rollup_hdrs, false);
  const more = config as unknown as Record<string, unknown>;
  for (const name of ['allow_msg_ttl', 'allow_msg_schedules', 'allow_atomic', 'allow_msg_counter'])
    assert.ok(!more[name], name);
  assert.deepEqual([config.max_msgs_per_subject, config.allow_direct], [5, true]);
  const audit = (await manager.streams.info('AUDIT')).config;
  assert.deepEqual([audit.deny_delete, audit.deny_purge], [true, true]);
});

const everything = { session: null, host: null, after: null, most: 100 };

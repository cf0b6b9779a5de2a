import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headers } from '@nats-io/transport-node';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { acceptedBy } from '../../support/fleet/host.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const skip = withoutNats;

test('a write whose answer is delayed is stored once', { skip }, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator(60_000);
  const client = await fleet.client();
  await (await fleet.host('h1')).lease();
  const { era } = await client.ask('hosts', {});
  const run = client.run({ era }, 30_000);
  fleet.server.pause();
  const begin = performance.now();
  // Longer than the coordinator waits for one answer.
  await waitFor(() => performance.now() - begin > 3500, 'some time');
  fleet.server.resume();
  const { task, state } = await run;
  assert.equal(state, 'assigned');
  const all = await client.get<RemoteTask[]>('list', everything);
  assert.deepEqual(
    all.map((one) => one.task),
    [task],
  );
});

test('a host that uses the id of a message first does not keep the coordinator from writing it', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  const client = await fleet.client();
  const host = await fleet.host('h1');
  const hostile = await fleet.host('h2');
  await host.lease();
  const { task } = await client.run();
  const numbered = await host.offered();
  // Ids hold for the whole stream: this one is that of the next write of the coordinator.
  const own = headers();
  own.set('Nats-Msg-Id', `${task}.1.revoked.${numbered.seq}`);
  await hostile.connection.request('assign.h2.bgb-00000000000e', 'x', { headers: own, timeout: 2000 });
  const cancelled = await client.get<RemoteTask>('kill', { task, graceMs: null });
  assert.equal(cancelled.state, 'revoked');
  assert.equal(await host.accept(numbered), 'lost');
});

test('a host that floods its own record until nothing else is in it starts nothing elsewhere', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const first = await fleet.coordinator(2500);
  const client = await fleet.client();
  const host = await fleet.host('h1');
  await host.lease();
  const { task } = await client.run({ redispatch: 5, spec: { command: 'make' } });
  const numbered = await host.offered();
  const { assignment } = numbered;
  await first[Symbol.asyncDispose]();
  const evil = { ...assignment, spec: { ...assignment.spec, command: 'evil' } };
  for (let n = 0; n < 3; n += 1) {
    await host.write({ ...evil, state: 'revoked', next: 2, accepted: true }, null);
    await host.write(acceptedBy(evil, 'e'), null);
    await host.write(acceptedBy(assignment, 'e'), null);
  }
  const other = await fleet.busyHost('h2', { everyMs: 100 });
  await fleet.coordinator(2500);
  await waitFor(async () => (await client.show(task)).state === 'unknown', 'the host to be lost');
  const seen = await client.show(task);
  assert.deepEqual([seen.spec.command, seen.mayHaveStarted, seen.redispatch], ['make', true, 0]);
  assert.deepEqual(other.starts, []);
});

test('messages in the stream that are not assignments do not block writes', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const { client, host } = await fleet.begun();
  const { task } = await client.run();
  await host.connection.request(`assign.h1.${task}`, 'no JSON', { timeout: 2000 });
  await host.connection.request(`assign.h1.${task}`, JSON.stringify({ v: 9 }), { timeout: 2000 });
  const cancelled = await client.get<RemoteTask>('kill', { task, graceMs: null });
  assert.deepEqual([cancelled.state, cancelled.mayHaveStarted], ['revoked', false]);
});

const everything = { session: null, host: null, after: null, most: 100 };

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import { sleep } from '../../../src/util/wait.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const skip = withoutNats;
const rounds = Number(process.env.OUTLIVE_ROUNDS ?? 200);

test('when an acceptance and a cancellation come at once, one wins, and both sides hear the same', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  await fleet.coordinator();
  const host = await fleet.host('h1', { slots: 100 });
  const client = await fleet.client();
  await waitFor(async () => (await host.beat()) !== null, 'a lease');
  const won = { host: 0, client: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const { task } = await client.run();
    let offered = (await host.lease()).assignments;
    // The other coordinator may not have read it yet.
    await waitFor(async () => {
      offered = (await host.lease()).assignments;
      return offered.length === 1;
    }, 'the assignment');
    const [numbered] = offered;
    assert.equal(numbered?.assignment.task, task);
    const [accepted, cancelled] = await Promise.all([
      // Sometimes the one is first, and sometimes the other.
      sleep(round % 6).then(() => host.accept(numbered)),
      client.get<RemoteTask>('kill', { task, graceMs: null }),
    ]);
    const isHost = typeof accepted === 'object';
    assert.equal(isHost, cancelled.state === 'accepted', `${JSON.stringify(accepted)}, ${cancelled.state}`);
    assert.equal(cancelled.mayHaveStarted, isHost);
    won[isHost ? 'host' : 'client'] += 1;
    if (isHost) await host.end(numbered.assignment, accepted.seq);
  }
  assert.ok(won.host > 0 && won.client > 0, JSON.stringify(won));
});

test('coordinators that get the same request at once assign it once', { skip }, async () => {
  await using fleet = await TestFleet.start();
  for (let n = 0; n < 3; n += 1) await fleet.coordinator();
  const hosts = await Promise.all(['h1', 'h2', 'h3'].map((name) => fleet.busyHost(name, { everyMs: 200 })));
  const client = await fleet.client();
  await waitFor(async () => (await client.hosts()).every(({ state }) => state === 'live'), 'the hosts');
  const requests = Array.from({ length: 40 }, () => randomUUID());
  const answers = await Promise.all(
    requests.map((request) => Promise.all(Array.from({ length: 4 }, () => client.run({ request })))),
  );
  for (const same of answers) assert.equal(new Set(same.map(({ task, host }) => `${host}/${task}`)).size, 1);
  const starts = () => hosts.flatMap((one) => one.starts);
  await waitFor(() => starts().length >= requests.length, 'all to start');
  assert.equal(new Set(starts()).size, starts().length);
  assert.equal(starts().length, requests.length);
});

test('coordinators that see the same loss write the next attempt once', { skip }, async () => {
  await using fleet = await TestFleet.start();
  for (let n = 0; n < 3; n += 1) await fleet.coordinator(3000);
  const client = await fleet.client();
  const lost = await fleet.busyHost('h1', { everyMs: 100, ends: false }, { slots: 100 });
  await waitFor(async () => (await client.hosts()).length === 1, 'the first host');
  const tasks = await Promise.all(Array.from({ length: 20 }, () => client.run({ redispatch: 1 })));
  await waitFor(() => lost.starts.length === 20, 'all to start');
  await lost[Symbol.asyncDispose]();
  const next = await fleet.busyHost('h2', { everyMs: 100 }, { slots: 100 });
  await waitFor(() => next.starts.length >= 20, 'all to start again');
  assert.deepEqual(next.starts.toSorted(), tasks.map(({ task }) => `${task}.2`).toSorted());
  const ended = await client.get<RemoteTask[]>('completions', { session: 's1', most: 100, waitMs: 0 });
  assert.ok(ended.every(({ attempt, redispatch }) => attempt === 2 && redispatch === 0));
  // The first host comes back, and is told that they are not its own any more.
  const holds = tasks.map(({ task }) => ({ task, attempt: 1 }));
  const lease = await lost.host.lease({ holds });
  assert.deepEqual(lease.fenced, holds);
});

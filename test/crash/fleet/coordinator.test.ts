import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { busOf } from '../../../src/fleet/coordinator/bus.ts';
import type { Decision } from '../../../src/fleet/coordinator/decide.ts';
import { Writer } from '../../../src/fleet/coordinator/writer.ts';
import type { RemoteTask } from '../../../src/fleet/wire/operations.ts';
import type { FakeClient } from '../../support/fleet/client.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { anAssignment } from '../../support/fleet/samples.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

const skip = withoutNats;

/** Asks until somebody answers, with the same request. */
async function runUntilAnswered(client: FakeClient, request: string): Promise<RemoteTask> {
  for (;;) {
    try {
      return await client.run({ request }, 1000);
    } catch (error) {
      // Nobody is there, or it is not known whether it was stored; or nobody of the hosts was heard yet.
      if (!/Timeout|NoResponders|FLEET_UNREACHABLE|FLEET_BUSY|no responders|timeout/i.test(String(error)))
        throw error;
    }
  }
}

/** What a coordinator has written before it was killed. */
async function writes(fleet: TestFleet, ...decisions: Decision[]): Promise<number[]> {
  const bus = await busOf(await fleet.connection());
  const writer = new Writer({ bus, key: fleet.key, era: () => 'any', onSilence: () => undefined });
  const seqs: number[] = [];
  for (const decision of decisions) {
    const stored = await writer.write({ ...decision, after: seqs.at(-1) ?? 0 });
    assert.ok(stored);
    seqs.push(stored.seq);
  }
  return seqs;
}

test('when a coordinator dies between assigning a task and telling the host, the task starts at the next heartbeat', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const first = await fleet.coordinator();
  await first[Symbol.asyncDispose]();
  const assignment = anAssignment();
  await writes(fleet, { assignment, after: 0, scope: 'task' });
  const host = await fleet.busyHost('h1', { everyMs: 100 });
  await fleet.coordinator();
  await waitFor(() => host.starts.length === 1, 'it to start');
  assert.deepEqual(host.starts, [`${assignment.task}.1`]);
});

test('an attempt that a coordinator had not written when it died is written once by its successors', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const first = await fleet.coordinator();
  await first[Symbol.asyncDispose]();
  const placement = { host: null, labels: {} };
  const assigned = anAssignment({ redispatch: 1, placement, at: Date.now() });
  await writes(
    fleet,
    { assignment: assigned, after: 0, scope: 'task' },
    { assignment: { ...assigned, state: 'revoked', accepted: true, next: 2 }, after: 0, scope: 'attempt' },
  );
  const hosts = await Promise.all(['h2', 'h3', 'h4'].map((name) => fleet.busyHost(name, { everyMs: 50 })));
  const [one, two] = await Promise.all([fleet.coordinator(), fleet.coordinator()]);
  assert.ok(one && two);
  const client = await fleet.client();
  const starts = () => hosts.flatMap((host) => host.starts);
  await waitFor(() => starts().length > 0, 'it to start');
  await waitFor(async () => (await client.show(assigned.task)).state === 'ended', 'it to end');
  assert.deepEqual(starts(), [`${assigned.task}.2`]);
});

test('while coordinators are killed again and again, every request gives one task, which starts once', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const client = await fleet.client();
  const hosts = await Promise.all(['h1', 'h2', 'h3'].map((name) => fleet.busyHost(name, { everyMs: 50 })));
  const requests = Array.from({ length: 120 }, () => randomUUID());
  const answered = new Map<string, RemoteTask>();
  const left = [...requests];
  const clients = Array.from({ length: 4 }, async () => {
    for (let request = left.pop(); request !== undefined; request = left.pop())
      answered.set(request, await runUntilAnswered(client, request));
  });
  let isOver = false;
  const all = Promise.all(clients).then(() => {
    isOver = true;
  });
  let kills = 0;
  while (!isOver) {
    const coordinator = await fleet.coordinatorProcess();
    const before = answered.size;
    // Killed while answers are on their way.
    await waitFor(() => isOver || answered.size >= before + 15, 'some answers');
    await coordinator.kill();
    kills += 1;
    if (left.length === 0 && answered.size > requests.length - 5) break;
  }
  await fleet.coordinatorProcess();
  await all;
  assert.ok(kills >= 3, `${kills} kills`);
  const starts = () => hosts.flatMap((host) => host.starts);
  await waitFor(() => starts().length >= requests.length, 'all to start');
  assert.deepEqual(starts().toSorted(), [...answered.values()].map(({ task }) => `${task}.1`).toSorted());
  // Whoever asks again hears of the same task.
  for (const request of requests.slice(0, 10))
    assert.equal((await runUntilAnswered(client, request)).task, answered.get(request)?.task);
});

test('while coordinators are stopped in turn, in the middle of anything, every task starts once', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const client = await fleet.client();
  const pair = [await fleet.coordinatorProcess(), await fleet.coordinatorProcess()];
  const hosts = await Promise.all(['h1', 'h2'].map((name) => fleet.busyHost(name, { everyMs: 50 })));
  const requests = Array.from({ length: 60 }, () => randomUUID());
  const answered = new Map<string, RemoteTask>();
  const left = [...requests];
  const clients = Array.from({ length: 6 }, async () => {
    for (let request = left.pop(); request !== undefined; request = left.pop())
      answered.set(request, await runUntilAnswered(client, request));
  });
  for (let turn = 0; answered.size < requests.length; turn += 1) {
    const [stopped] = turn % 2 === 0 ? pair : pair.toReversed();
    stopped?.pause();
    const before = answered.size;
    await waitFor(() => answered.size >= Math.min(before + 10, requests.length), 'some answers');
    stopped?.resume();
  }
  await Promise.all(clients);
  const starts = () => hosts.flatMap((host) => host.starts);
  await waitFor(() => starts().length >= requests.length, 'all to start');
  assert.deepEqual(starts().toSorted(), [...answered.values()].map(({ task }) => `${task}.1`).toSorted());
});

test('a coordinator that was stopped for longer than a lease counts no host as lost', { skip }, async () => {
  await using fleet = await TestFleet.start();
  const client = await fleet.client();
  const leaseMs = 3000;
  const coordinator = await fleet.coordinatorProcess(leaseMs);
  const host = await fleet.busyHost('h1', { everyMs: 100, ends: false });
  await waitFor(async () => (await client.hosts()).length === 1, 'the host');
  const { task } = await client.run({ redispatch: 1 });
  await waitFor(() => host.starts.length === 1, 'it to start');
  coordinator.pause();
  const begin = performance.now();
  await waitFor(() => performance.now() - begin > 2 * leaseMs, 'two leases');
  coordinator.resume();
  await waitFor(async () => (await client.hosts())[0]?.state === 'live', 'the host to be heard again');
  const again = performance.now();
  // Longer than the loss would take, if it were counted from before.
  await waitFor(() => performance.now() - again > leaseMs, 'a lease');
  const seen = await client.show(task);
  assert.deepEqual([seen.state, seen.attempt], ['accepted', 1]);
  assert.equal(host.starts.length, 1);
});

test('after the server has lost all its data, hosts report what runs, and nothing starts a second time', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  await fleet.coordinator();
  await fleet.coordinator();
  const client = await fleet.client();
  const host = await fleet.host('h1');
  await waitFor(async () => (await host.beat()) !== null, 'a lease');
  const request = randomUUID();
  const { era } = await client.ask('hosts', {});
  const { task } = await client.run({ request, era, redispatch: 3, spec: { command: 'make' } });
  let offered = (await host.lease()).assignments;
  await waitFor(async () => {
    offered = (await host.lease()).assignments;
    return offered.length === 1;
  }, 'the assignment');
  const [numbered] = offered;
  assert.ok(numbered);
  const accepted = await host.accept(numbered);
  assert.ok(typeof accepted === 'object');

  await fleet.wipe();
  // An answer from before the loss is no answer of now.
  await waitFor(async () => {
    const answer = await client.ask('hosts', {}, 1000).catch(() => null);
    return answer !== null && answer.era !== era;
  }, 'the coordinators to know');
  await waitFor(async () => (await host.beat()) !== null, 'a lease');
  await waitFor(async () => (await client.ask('list', everything)).value !== undefined, 'an answer');
  // Who asks with what it knew before starts nothing.
  await assert.rejects(client.run({ request, era }), /FLEET_UNREACHABLE: .* are lost/);
  // What the stream had expected before is not there: a write of before does nothing.
  assert.equal(await host.end(numbered.assignment, accepted.seq), 'lost');
  const said = await host.write({ ...numbered.assignment, state: 'accepted', by: 'host' }, 0);
  assert.ok(typeof said === 'object');
  await waitFor(async () => (await client.get<RemoteTask[]>('list', everything)).length === 1, 'the task');
  const [seen] = await client.get<RemoteTask[]>('list', everything);
  assert.deepEqual(
    [seen?.task, seen?.state, seen?.mayHaveStarted, seen?.redispatch],
    [task, 'accepted', true, 0],
  );
  await host.end(numbered.assignment, said.seq);
  const asked = { session: 's1', most: 10, waitMs: 10_000 };
  const [end] = await client.get<RemoteTask[]>('completions', asked, 12_000);
  assert.equal(end?.task, task);
});

test('a coordinator that was disconnected for a while counts no host as lost when it is back', {
  skip,
}, async () => {
  await using fleet = await TestFleet.start();
  const leaseMs = 3000;
  await fleet.coordinator(leaseMs);
  const client = await fleet.client();
  const host = await fleet.busyHost('h1', { everyMs: 100, ends: false });
  await waitFor(async () => (await client.hosts()).length === 1, 'the host');
  const { task } = await client.run({ redispatch: 1 });
  await waitFor(() => host.starts.length === 1, 'it to start');
  await fleet.server.kill();
  const begin = performance.now();
  await waitFor(() => performance.now() - begin > 2 * leaseMs, 'two leases');
  await fleet.startServer();
  await waitFor(async () => {
    const hosts = await client.hosts().catch(() => []);
    return hosts[0]?.state === 'live';
  }, 'the host to be heard again');
  const { state, attempt } = await client.show(task);
  assert.deepEqual([state, attempt], ['accepted', 1]);
});

const everything = { session: null, host: null, after: null, most: 100 };

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAddress } from '../../../src/fleet/bus/address.ts';
import type { FleetTask } from '../../../src/fleet/client/index.ts';
import { ProcessFleet, type ProcessHost, readLines } from '../../support/fleet/process-fleet.ts';
import { withoutNats } from '../../support/nats.ts';
import { Relay } from '../../support/relay.ts';
import { waitFor } from '../../support/world.ts';

const options = { skip: withoutNats };

/** A connection that is silent is given up after 15 s, and a new one waits for 5. */
const longMs = 90_000;

async function start(): Promise<ProcessFleet> {
  return await ProcessFleet.start({ servers: 1, coordinators: 1, leaseMs: 3_000, heartbeatMs: 300 });
}

function noted(name: string, then = 'true'): string {
  return `echo ${name} >> starts; ${then}`;
}

function startsOf({ world }: ProcessHost): string[] {
  return readLines(join(world.base, 'starts'));
}

async function untilState(task: FleetTask, state: string): Promise<void> {
  await waitFor(async () => (await task.show()).state === state, `${task.id} to be ${state}`, longMs);
}

test(
  'a host whose link to the server is silent starts nothing, and reports the real ends when it can again',
  options,
  async () => {
    await using fleet = await start();
    const server = fleet.credentials.fleet.servers[0] ?? assert.fail();
    await using relay = await Relay.start(server.port);
    const host = await fleet.host('h1', 8, [parseAddress(`127.0.0.1:${relay.port}`)]);
    const client = await fleet.client();
    await waitFor(async () => (await client.hosts())[0]?.state === 'live', 'the host', longMs);
    const brief = await client.spawn(noted('brief', 'until [ -e now ]; do sleep 0.1; done; exit 5'), {
      on: 'h1',
    });
    const long = await client.spawn(noted('long', 'sleep 1000'), { on: 'h1' });
    await waitFor(() => startsOf(host).length === 2, 'both to start');

    relay.fallSilent();
    const early = await client.spawn(noted('early'), { on: 'h1' });
    writeFileSync(join(host.world.base, 'now'), '');
    for (const task of [brief, long]) await untilState(task, 'unknown');
    const revoked = await early.wait();
    assert.deepEqual([revoked?.state, revoked?.mayHaveStarted], ['revoked', false]);
    await assert.rejects(client.spawn('true', { on: 'h1' }), { code: 'FLEET_BUSY' });
    assert.deepEqual(startsOf(host).sort(), ['brief', 'long']);

    relay.speak();
    await untilState(brief, 'ended');
    assert.equal(brief.known.end?.exitCode, 5);
    await untilState(long, 'accepted');
    await long.kill();
    const killed = await long.wait();
    assert.equal(killed?.end?.status, 'killed');
    const after = await client.spawn(noted('after'), { on: 'h1' });
    assert.equal((await after.wait())?.end?.exitCode, 0);
    assert.deepEqual(startsOf(host).sort(), ['after', 'brief', 'long']);
  },
);

test(
  'a host that does not hear that it has won starts the task only when it does, and once',
  options,
  async () => {
    await using fleet = await start();
    const server = fleet.credentials.fleet.servers[0] ?? assert.fail();
    await using relay = await Relay.start(server.port);
    const host = await fleet.host('h1', 8, [parseAddress(`127.0.0.1:${relay.port}`)]);
    const client = await fleet.client();
    await waitFor(async () => (await client.hosts())[0]?.state === 'live', 'the host', longMs);
    relay.fallSilentAfter('HPUB assign.h1.', ['back']);
    const task = await client.spawn(noted('won'), { on: 'h1' });
    await untilState(task, 'unknown');
    assert.ok(relay.isSilent);
    assert.deepEqual(startsOf(host), []);
    relay.speak();
    await untilState(task, 'ended');
    assert.deepEqual([task.known.end?.exitCode, startsOf(host)], [0, ['won']]);
  },
);

test('a client whose answer gets lost asks again, and only one task starts', options, async () => {
  await using fleet = await start();
  const server = fleet.credentials.fleet.servers[0] ?? assert.fail();
  const host = await fleet.host('h1', 8);
  await using relay = await Relay.start(server.port);
  const [client, other] = [
    await fleet.client([parseAddress(`127.0.0.1:${relay.port}`)]),
    await fleet.client(),
  ];
  await waitFor(async () => (await client.hosts())[0]?.state === 'live', 'the host', longMs);
  relay.fallSilentAfter('op.run', ['back']);
  const asked = { on: 'h1', key: 'k' } as const;
  const asking = client.spawn(noted('asked'), asked);
  await waitFor(() => startsOf(host).length === 1, 'the task to start');
  assert.ok(relay.isSilent);
  const known = await other.spawn(noted('asked'), asked);
  // Until then it has asked a second time, and the answers of both come late.
  const [seen] = await Promise.allSettled([asking]);
  relay.speak();
  if (seen.status === 'fulfilled') assert.equal(seen.value.id, known.id);
  const again = await client.spawn(noted('asked'), asked);
  assert.equal(again.id, known.id);
  assert.equal((await again.wait())?.end?.exitCode, 0);
  assert.deepEqual(startsOf(host), ['asked']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutliveError } from '../../../src/errors/error.ts';
import { streams } from '../../../src/fleet/wire/names.ts';
import { ProcessFleet } from '../../support/fleet/process-fleet.ts';
import { withoutNats } from '../../support/nats.ts';
import { waitFor } from '../../support/world.ts';

/** Connections to the server are given up after 15 s, and a leader is chosen. */
const longMs = 60_000;

test('a coordinator reads on when the server with its consumer falls silent for good', {
  skip: withoutNats,
}, async () => {
  await using fleet = await ProcessFleet.start({
    servers: 3,
    coordinators: 1,
    leaseMs: 6_000,
    heartbeatMs: 500,
  });
  await fleet.host('h1', 8);
  const client = await fleet.client();
  await waitFor(async () => (await client.hosts()).some(({ state }) => state === 'live'), 'the host', longMs);
  const { nats, connection } = await fleet.bus();
  const manager = await nats.jetstream.jetstreamManager(connection, { checkAPI: false, timeout: 2_000 });
  const consumers = await manager.consumers.list(streams.assignments).next();
  assert.equal(consumers.length, 1, 'the journal of the one coordinator');
  const holder = consumers[0]?.cluster?.leader;
  const server = fleet.servers.find(({ name }) => holder === `outlive-${name.slice(-1)}`) ?? assert.fail();
  server.pause();
  try {
    // A deaf coordinator never learns that the host has accepted, and that the task has ended.
    const ended = async (): Promise<boolean> => {
      try {
        const task = await client.spawn('true', { on: 'h1', key: 'once', startByMs: null });
        return (await task.wait({ timeoutMs: 2_000 }))?.end?.exitCode === 0;
      } catch (error) {
        if (error instanceof OutliveError && /^(FLEET|HOST)_/.test(error.code)) return false;
        throw error;
      }
    };
    await waitFor(ended, 'the task to end', longMs);
  } finally {
    server.resume();
  }
});

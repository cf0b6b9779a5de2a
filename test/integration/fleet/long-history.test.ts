import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { Coordinator } from '../../../src/fleet/coordinator/coordinator.ts';
import { ExpectedWarnings } from '../../support/expected-warnings.ts';
import { TestFleet } from '../../support/fleet/fleet.ts';
import { withoutNats } from '../../support/nats.ts';
import { Relay } from '../../support/relay.ts';

test('a coordinator starts even if it takes long to read everything that is stored', {
  skip: withoutNats,
}, async () => {
  // Nor has the audit an answer in time.
  using _warnings = new ExpectedWarnings(/: writing the audit /);
  await using fleet = await TestFleet.start();
  // It makes the streams.
  await fleet.coordinator();
  const connection = await fleet.connection();
  for (let number = 0; number < 300; number += 1) {
    const task = `bgb-${number.toString(16).padStart(12, '0')}`;
    await connection.request(`assign.h1.${task}`, 'x'.repeat(4_096));
  }
  await using relay = await Relay.start(fleet.server.port);
  const slow = await connect({ servers: `127.0.0.1:${relay.port}` });
  try {
    // 1.2 MB in 15 s at least.
    relay.slowDown(8_192);
    const begin = performance.now();
    await using _coordinator = await Coordinator.start({
      ...{ connection: slow, key: fleet.key, leaseMs: 30_000 },
      roleOf: () => null,
    });
    assert.ok(performance.now() - begin > 10_000, 'it was slow to read');
  } finally {
    await slow.close();
  }
});

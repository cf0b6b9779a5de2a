import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { busOf, isBusError } from '../../../src/fleet/coordinator/bus.ts';
import { NatsServer, withoutNats } from '../../support/nats.ts';

test('a stream that does not answer is an error of the bus, not a bug in the program', {
  skip: withoutNats,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outlive-bus-'));
  await using server = await NatsServer.start({ folder });
  const connection = await connect({ servers: server.url });
  try {
    const { stream, manager } = await busOf(connection);
    await assert.rejects(stream.publish('no.stream', 'x'), isBusError);
    await assert.rejects(manager.streams.info('NONE'), isBusError);
  } finally {
    await connection.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NatsServer, withoutNats } from '../../support/nats.ts';

test('a real nats-server starts on loopback and stores what is published', {
  skip: withoutNats,
}, async () => {
  const { connect } = await import('@nats-io/transport-node');
  const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
  const folder = mkdtempSync(join(tmpdir(), 'outlive-nats-'));
  try {
    await using server = await NatsServer.start({ folder });
    const connection = await connect({ servers: server.url });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'A', subjects: ['a.>'] });
    const { seq } = await jetstream(connection).publish('a.1', 'x', { msgID: '1' });
    assert.equal(seq, 1);
    await connection.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

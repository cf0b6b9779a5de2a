import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpConnections } from '../../../src/mcp/http/connections.ts';
import { ClientSessions } from '../../../src/tools/delivery/client-sessions.ts';
import { World } from '../../support/world.ts';

test('of many sessions the idle one that was used longest ago is closed; it can be opened again', async () => {
  await using world = new World();
  const connections = new HttpConnections(new ClientSessions(await world.store()));
  const open = async (session: string) => {
    const { connection, release } = connections.take(session);
    return { connection, release, session: (await connection.open(session)).session };
  };
  const busy = await open('busy');
  const idle = await open('idle');
  idle.release();
  for (let count = 0; count < 255; count += 1) connections.take(`other-${count}`).release();
  const again = await open('idle');
  assert.notEqual(again.connection, idle.connection);
  await assert.rejects(idle.session.spawn('true'), { code: 'CLOSED' });
  await (await again.session.spawn('true')).wait();
  assert.equal(connections.take('busy').connection, busy.connection);
  await (await busy.session.spawn('true')).wait();
});

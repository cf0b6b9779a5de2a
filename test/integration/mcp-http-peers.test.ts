import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Desks } from '../../src/mcp/desks.ts';
import { HttpPeers } from '../../src/mcp/http-peers.ts';
import { World } from '../support/world.ts';

test('of many sessions the one that was used longest ago and is idle is let go; it opens again', async () => {
  await using world = new World();
  const peers = new HttpPeers(new Desks(await world.store()));
  const open = async (session: string) => {
    const { peer, release } = peers.take(session);
    return { peer, release, session: (await peer.open(session)).session };
  };
  const busy = await open('busy');
  const idle = await open('idle');
  idle.release();
  for (let count = 0; count < 255; count += 1) peers.take(`other-${count}`).release();
  const again = await open('idle');
  assert.notEqual(again.peer, idle.peer);
  await assert.rejects(idle.session.spawn('true'), { code: 'CLOSED' });
  await (await again.session.spawn('true')).wait();
  assert.equal(peers.take('busy').peer, busy.peer);
  await (await busy.session.spawn('true')).wait();
});

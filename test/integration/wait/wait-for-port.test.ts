import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { fixture, World, waitFor } from '../../support/world.ts';

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a port at which a process of the task begins to listen ends the wait, with address and process', async () => {
  await using world = new World();
  const session = await world.session();
  const port = await freePort();
  const task = await session.spawn(`${fixture('listens.mjs', String(port), '127.0.0.1', '100')} & wait`);
  const { cause, port: found, snapshot } = await task.waitFor({ port, pattern: 'never' });
  assert.equal(cause, 'port');
  assert.deepEqual([found?.port, found?.address, snapshot.status], [port, '127.0.0.1', 'running']);
  assert.ok(world.pidsOf(task.id).includes(found?.pid ?? 0));
});

test('any port of the task is found, also of a process that left its group, but not a port of another program', async () => {
  await using world = new World();
  const session = await world.session();
  const stranger = createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port: strangersPort } = stranger.address() as AddressInfo;
  const quiet = await session.spawn('exec sleep 1000');
  assert.equal((await quiet.waitFor({ port: strangersPort, timeoutMs: 60 })).cause, 'timeout');
  assert.equal((await quiet.waitFor({ port: true, timeoutMs: 60 })).cause, 'timeout');
  // Git for Windows has no setsid.
  const away = onWindows ? '' : 'setsid ';
  const task = await session.spawn(`${away}${fixture('listens.mjs', '0', '0.0.0.0', '50')} & wait`);
  const { port } = await task.waitFor({ port: true });
  assert.equal(port?.address, '0.0.0.0');
  assert.notEqual(port?.port, strangersPort);
  await new Promise((resolve) => stranger.close(resolve));
});

test('a listening leftover counts: a server that goes into the background', async () => {
  await using world = new World();
  const session = await world.session();
  const task = await session.spawn(`${fixture('listens.mjs')} & sleep 0.01`);
  await task.wait();
  const look = async (): Promise<boolean> => (await task.waitFor({ port: true })).cause === 'port';
  await waitFor(look, 'the server that was left running to listen');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { acceptingAddress } from '../../../src/platform/loopback.ts';

// What systems do that do not list who listens.

test('a port with a listener is found by connecting, and a port without one is not', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  assert.equal(await acceptingAddress(port), '127.0.0.1');
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await acceptingAddress(port), null);
});

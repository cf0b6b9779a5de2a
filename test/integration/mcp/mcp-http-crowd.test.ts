import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { post, startHttp, testToken } from '../../support/mcp-http.ts';
import { World, waitFor } from '../../support/world.ts';

/** Connections that say a part of a request, or nothing. */
async function crowd(url: string, count: number, said: string): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.resume();
      socket.write(said);
      return socket;
    }),
  );
}

function open(sockets: readonly Socket[]): number {
  return sockets.filter(({ closed, destroyed }) => !closed && !destroyed).length;
}

const wrongToken =
  'POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer wrong\r\ncontent-length: 9\r\n';
for (const [what, said] of [
  ['nothing', ''],
  ['half of a request', 'POST /mcp HTTP/1.1\r\nhost: localhost\r\n'],
  ['the headers with another token, all but the end', wrongToken],
] as const)
  test(`600 connections that send ${what} keep nobody out, and most are closed at once`, async () => {
    await using world = new World();
    await using server = await startHttp(world);
    const sockets: Socket[] = [];
    for (let round = 0; round < 6; round += 1) {
      sockets.push(...(await crowd(server.url, 100, said)));
      // Each call is a new connection, or one that showed the token before.
      await post(server.url, 'tools/call', { name: 'tasks', arguments: {} });
    }
    await waitFor(() => open(sockets) <= 32, 'most connections to be closed');
    await waitFor(() => open(sockets) === 0, 'the others to be closed when their time is up');
    await post(server.url, 'tools/call', { name: 'tasks', arguments: {} });
  });

test('a connection that has shown the token does not count towards the limit', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const call = post(server.url, 'tools/call', {
    name: 'run',
    arguments: { command: 'sleep 1', wait_ms: 60_000 },
  });
  const { hostname } = new URL(server.url);
  assert.equal(hostname, '127.0.0.1');
  await waitFor(() => world.taskIds().length > 0, 'the call to be under way');
  const sockets = await crowd(
    server.url,
    200,
    `GET /mcp HTTP/1.1\r\nauthorization: Bearer ${testToken}x\r\n`,
  );
  const { task } = (await call).structuredContent as { task: { status: string } };
  assert.equal(task.status, 'completed');
  for (const socket of sockets) socket.destroy();
});

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { hasFact } from '../../support/logs.ts';
import { modernBody, modernHeaders, post, startHttp, testToken } from '../../support/mcp-http.ts';
import { World, waitFor } from '../../support/world.ts';

const good = modernBody('tools/call', { name: 'tasks', arguments: {} });

/** Sends a request as it stands, which fetch would not do, and gives the status. */
function send(
  url: string,
  headers: Record<string, string | undefined>,
  body: string,
  method = 'POST',
  path?: string,
) {
  return new Promise<number>((resolve, reject) => {
    const { hostname, port, pathname } = new URL(url);
    const all = { ...modernHeaders(good), host: `${hostname}:${port}`, ...headers };
    const shown = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    const sent = request(
      { hostname, port, path: path ?? pathname, method, headers: shown as never },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const body = JSON.stringify(good);
type Bad = readonly [
  what: string,
  expected: number,
  headers: Record<string, string | undefined>,
  body: string,
];
const bad: readonly Bad[] = [
  ['no token', 401, { authorization: undefined }, body],
  ['a wrong token', 401, { authorization: `Bearer ${testToken}x` }, body],
  ['half a token', 401, { authorization: `Bearer ${testToken.slice(0, 5)}` }, body],
  ['another scheme', 401, { authorization: `Basic ${testToken}` }, body],
  ['a token beside the word', 401, { authorization: testToken }, body],
  ['the Host of somebody who points at us', 403, { host: 'evil.example' }, body],
  ['a Host that only begins right', 403, { host: 'localhost.evil.example' }, body],
  ['a page of another origin', 403, { origin: 'https://evil.example' }, body],
  ['an origin that is none', 403, { origin: 'null' }, body],
  ['no session', 400, { 'outlive-session': undefined }, body],
  ['a session that is too long', 400, { 'outlive-session': 'x'.repeat(2_000) }, body],
  ['no JSON', 400, {}, 'no json'],
  ['half of a JSON', 400, {}, body.slice(0, 50)],
  ['no body', 400, {}, ''],
  ['another content type', 415, { 'content-type': 'text/plain' }, body],
  ['an unknown method', 404, { 'mcp-method': 'no/such' }, JSON.stringify({ ...good, method: 'no/such' })],
  ['a batch', 400, {}, JSON.stringify([good, good])],
  ['a number', 400, {}, '5'],
  ['a body of 5 MB', 413, {}, JSON.stringify({ ...good, more: 'x'.repeat(5_000_000) })],
];

test('bad requests of every kind are refused, and the server goes on', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  for (const [what, expected, headers, text] of bad) {
    const status = await send(server.url, headers, text).catch((error: Error) => error.message);
    // Whoever is still writing when it is refused may see the connection closed instead.
    const isRefused = status === expected || (expected === 413 && typeof status === 'string');
    assert.ok(isRefused, `${what}: expected ${expected}; found ${status}`);
    assert.equal(await send(server.url, {}, body), 200, `after ${what}`);
  }
  for (const method of ['GET', 'DELETE', 'PUT', 'OPTIONS', 'HEAD']) {
    assert.ok((await send(server.url, {}, '', method)) >= 400, method);
  }
  assert.equal(await send(server.url, {}, body, 'POST', '/other'), 404);
  assert.equal(await send(server.url, {}, body, 'POST', '//evil.example/mcp'), 404);
  assert.deepEqual(world.taskIds(), []);
});

test('the server survives input that is not HTTP, and clients that leave in the middle', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const port = Number(new URL(server.url).port);
  for (const text of [
    '\0\0\0',
    'GET',
    'POST /mcp HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
    'a'.repeat(100_000),
  ]) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.write(text, resolve));
    socket.destroy();
  }
  const gone = new AbortController();
  const call = modernBody('tools/call', {
    name: 'run',
    arguments: { command: 'sleep 1000', wait_ms: 60_000 },
  });
  const options = {
    method: 'POST',
    headers: modernHeaders(call),
    body: JSON.stringify(call),
    signal: gone.signal,
  };
  const calling = fetch(server.url, options).catch(() => undefined);
  await waitFor(() => world.taskIds().some((id) => hasFact(world.logOf(id), 'spec')), 'its record');
  gone.abort();
  await calling;
  const { structuredContent } = await post(server.url, 'tools/call', { name: 'tasks', arguments: {} });
  assert.match(JSON.stringify(structuredContent), /"status":"(starting|running)"/);
});

test('a task of another session is found only by its full id, and that acknowledges nothing', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const { taskId } = await post(server.url, 'tools/call', {
    name: 'run',
    arguments: { command: 'sleep 1000', name: 'dev', wait_ms: 0 },
  });
  const call = async (name: string, args: object) =>
    await post(server.url, 'tools/call', { name, arguments: args }, 'other');
  assert.match(JSON.stringify(await call('output', { task: 'dev' })), /TASK_NOT_FOUND/);
  assert.match(JSON.stringify(await call('tasks', {})), /No task is running/);
  assert.equal((await post(server.url, 'tasks/get', { taskId }, 'other')).status, 'working');
  await post(server.url, 'tasks/cancel', { taskId }, 'other');
  for (const name of ['wait', 'kill', 'output'])
    assert.match(JSON.stringify(await call(name, { task: taskId })), /killed/);
  await call('tasks', {});
  await call('tasks', {});
  assert.equal((await (await world.store()).pending('s')).length, 1);
});

test('if no token is given, one is made, and commands inherit none', async () => {
  await using world = new World();
  process.env.OUTLIVE_MCP_TOKEN = 'from-the-environment';
  const store = await world.store();
  const { startHttpServer } = await import('../../../src/mcp/index.ts');
  await using given = await startHttpServer({ store });
  await using made = await startHttpServer({ store });
  assert.deepEqual(
    [given.token, given.tokenWasMade, made.tokenWasMade],
    ['from-the-environment', false, true],
  );
  assert.ok(made.token.length >= 43);
  assert.equal(process.env.OUTLIVE_MCP_TOKEN, undefined);
  await assert.rejects(startHttpServer({ store, token: 'short' }), { code: 'INVALID_ARGUMENT' });
});

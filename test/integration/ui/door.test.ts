import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { reachedAt } from '../../../src/ui/guard.ts';
import { isProven, keyOf, passFor } from '../../../src/ui/page/proof.ts';
import type { UiServer } from '../../../src/ui/server.ts';
import { onWindows } from '../../support/processes.ts';
import { meet, PageClient, startUi } from '../../support/ui.ts';
import { World } from '../../support/world.ts';

/** A request with headers that `fetch` does not let a program set. */
function get(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const foreign: readonly (readonly [what: string, headers: Record<string, string>])[] = [
  ['another host', { host: 'rebound.example:80' }],
  ['another port of this host', { host: '127.0.0.1:1' }],
  ['a page of another origin', { origin: 'http://evil.example' }],
  ['a page of this machine at another port', { origin: 'http://127.0.0.1:1' }],
  ['a page without an origin of its own', { origin: 'null' }],
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another page of the same site', { 'sec-fetch-site': 'same-site' }],
];

test('requests and sockets from other origins are refused, whatever they know', async () => {
  await using world = new World();
  await using server = await startUi(world);
  for (const [what, headers] of foreign) {
    for (const path of ['', 'page.js', 'download/x'])
      assert.equal((await get(server.url + path, headers)).status, 403, `${what} asks for /${path}`);
    for (const path of ['door', 'challenge'])
      assert.equal(
        (await get(server.url + path, headers, 'POST', 'x')).status,
        403,
        `${what} sends to /${path}`,
      );
    await assert.rejects(PageClient.connect(server, { headers }), /refused with 403/, what);
  }
  await assert.rejects(PageClient.connect(server, { headers: { origin: '' } }), /refused with 403/);
});

/** How a page that is no browser asks for a socket. */
async function socketWith(server: UiServer, proof: string): Promise<string> {
  const protocol = ['outlive.ui.1', proof].filter((text) => text !== '').join(', ');
  const origin = server.url.replace(/\/$/, '');
  const headers = { connection: 'upgrade', upgrade: 'websocket', origin, 'sec-websocket-version': '13' };
  const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-protocol': protocol };
  return await new Promise((resolve, reject) => {
    const asked = request(`${server.url}socket`, { headers: { ...headers, ...key }, agent: false });
    asked.on('response', ({ statusCode }) => resolve(String(statusCode)));
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve('in');
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('a socket opens for a page that proves to know the token, without sending it', async () => {
  await using world = new World();
  await using server = await startUi(world);
  for (const token of ['', 'wrong', server.token.slice(1), `${server.token}x`]) {
    await assert.rejects(PageClient.connect(server, { token }), /refused with 401/, token);
    assert.equal((await meet(server.url, token)).isProven, false, token);
  }
  await assert.rejects(PageClient.connect(server, { path: 'elsewhere' }), /refused with 400/);
  await using page = await PageClient.connect(server);
  assert.equal(page.socket.readyState, page.socket.OPEN);
  assert.equal(await socketWith(server, ''), '401');
  // The token itself opens nothing, however it is shown.
  assert.equal(await socketWith(server, `token.${server.token}`), '401');
  assert.equal(await socketWith(server, server.token), '401');
});

test('a proof is good once, and only with a nonce of the server', async () => {
  await using world = new World();
  await using server = await startUi(world);
  const { challenge, isProven, proof } = await meet(server.url, server.token);
  assert.equal(isProven, true);
  assert.equal(
    challenge.proofs.includes(proof.split('.')[3] ?? ''),
    false,
    'what the server says is no proof of a page',
  );
  const parts = proof.split('.');
  const changed = (at: number): string =>
    parts
      .map((part, index) => (index === at ? `${part[0] === 'A' ? 'B' : 'A'}${part.slice(1)}` : part))
      .join('.');
  for (const at of [1, 2, 3]) assert.equal(await socketWith(server, changed(at)), '401', `part ${at}`);
  const [, pageNonce = ''] = parts;
  for (const mac of challenge.proofs)
    assert.equal(
      await socketWith(server, ['proof', pageNonce, challenge.nonce, mac].join('.')),
      '401',
      'sent back',
    );
  assert.equal(await socketWith(server, proof), 'in');
  assert.equal(await socketWith(server, proof), '401', 'a second time');
  for (const wrong of ['', 'x', `${pageNonce}x`])
    assert.equal((await get(`${server.url}challenge`, {}, 'POST', wrong)).status, 400, wrong);
  assert.equal((await get(`${server.url}challenge`, {}, 'POST', 'x'.repeat(100_000))).status, 400);
});

test('a proof for one server is not valid for another one with the same token, at another port or in a later run', async () => {
  await using world = new World();
  const tokenFile = `${world.base}/token`;
  writeFileSync(tokenFile, 'a-token-of-this-test', { mode: 0o600 });
  const first = await startUi(world, { tokenFile });
  await using other = await startUi(world, { tokenFile });
  const { proof } = await meet(first.url, first.token);
  assert.equal(await socketWith(other, proof), '401', 'another port');
  // Somebody between them hands on what the other one says, which names the other address.
  const { challenge, proof: asked } = await meet(other.url, other.token);
  const host = new URL(first.url).host;
  const pageNonce = asked.split('.')[1] ?? '';
  assert.equal(isProven(keyOf(first.token), { host, pageNonce, nonce: challenge.nonce }, challenge), false);
  await first.close();
  await using again = await startUi(world, { tokenFile, port: Number(new URL(first.url).port) });
  assert.equal(await socketWith(again, proof), '401', 'a later run');
  assert.equal((await meet(again.url, first.token)).isProven, true, 'the token itself is good for it');
});

test('the code for the opener gives a pass for this run, once, and never the token', async () => {
  await using world = new World();
  await using server = await startUi(world);
  const opened = server.urlForOpener();
  assert.equal(opened.includes(server.token), false);
  const code = opened.split('#code=')[1] ?? '';
  assert.match(code, /^[\w-]{43}$/);
  assert.equal((await get(`${server.url}door`, {}, 'POST', `${code}x`)).status, 401);
  const { status, text: pass } = await get(`${server.url}door`, {}, 'POST', code);
  assert.equal(status, 200);
  assert.notEqual(pass, server.token);
  assert.equal(pass, passFor(keyOf(server.token), (await meet(server.url, pass)).challenge.run));
  await using page = await PageClient.connect(server, { token: pass });
  assert.equal(page.socket.readyState, page.socket.OPEN);
  assert.equal((await get(`${server.url}door`, {}, 'POST', code)).status, 401, 'it was used');
  assert.equal((await get(`${server.url}door`, {}, 'POST', 'x'.repeat(100_000))).status, 413);
  await using later = await startUi(world);
  await assert.rejects(PageClient.connect(later, { token: pass }), /refused with 401/);
});

test('every answer forbids everything that the page does not need', async () => {
  await using world = new World();
  await using server = await startUi(world);
  const first = await get(server.url);
  const policy = String(first.headers['content-security-policy']);
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ])
    assert.ok(policy.includes(part), part);
  assert.doesNotMatch(policy, /unsafe|\*|data:/);
  const nonce = /'nonce-([\w-]+)'/.exec(policy)?.[1] ?? '';
  assert.ok(first.text.includes(`nonce="${nonce}"`));
  assert.notEqual(
    /'nonce-([\w-]+)'/.exec(String((await get(server.url)).headers['content-security-policy']))?.[1],
    nonce,
  );
  for (const path of ['', 'page.js', 'nothing', 'door', 'challenge']) {
    const { headers } = await get(server.url + path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['cache-control'], 'no-store', path);
    assert.equal(headers['referrer-policy'], 'no-referrer', path);
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', path);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
    assert.equal(headers['access-control-allow-origin'], undefined, path);
    assert.equal(headers['set-cookie'], undefined, path);
    assert.ok(headers['content-security-policy'], path);
  }
});

test('only the files of the page are served', async () => {
  await using world = new World();
  await using server = await startUi(world);
  for (const path of [
    '../package.json',
    '%2e%2e/package.json',
    'index.html',
    '__proto__',
    'toString',
    'page.js/',
  ])
    assert.equal((await get(server.url + path)).status, 404, path);
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'HEAD'])
    assert.equal((await get(server.url, {}, method)).status, 405, method);
});

test('other machines can reach the server only with a token file', async () => {
  await using world = new World();
  await assert.rejects(startUi(world, { host: '0.0.0.0' }), {
    code: 'INVALID_ARGUMENT',
    message: /--token-file/,
  });
  const tokenFile = `${world.base}/token`;
  writeFileSync(tokenFile, 'short', { mode: 0o600 });
  await assert.rejects(startUi(world, { host: '0.0.0.0', tokenFile }), { code: 'INVALID_ARGUMENT' });
  writeFileSync(tokenFile, 'a-token-of-this-test\n', { mode: 0o600 });
  await using server = await startUi(world, { host: '0.0.0.0', tokenFile });
  assert.deepEqual([server.token, server.tokenWasMade], ['a-token-of-this-test', false]);
  const { port } = new URL(server.url);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  for (const { address, family } of own) {
    const host = family === 'IPv6' ? `[${address}]` : address;
    assert.equal((await get(server.url, { host: `${host}:${port}` })).status, 200, host);
  }
  assert.equal((await get(server.url, { host: `${hostname()}:${port}` })).status, 200);
  assert.equal((await get(server.url, { host: `rebound.example:${port}` })).status, 403);
});

test('a server at one address accepts no name of an address at which others may listen', () => {
  const reached = reachedAt('192.0.2.7', 80);
  assert.deepEqual(
    ['192.0.2.7', '192.0.2.7:80', '127.0.0.1', 'localhost', '[::1]', '192.0.2.7:81'].map(reached),
    [true, true, false, false, false, false],
  );
  assert.deepEqual(['127.0.0.1:7', 'localhost:7', '[::1]:7', '127.0.0.1'].map(reachedAt('127.0.0.1', 7)), [
    true,
    true,
    false,
    false,
  ]);
});

test('an invalid message ends the connection, and nothing else', async () => {
  await using world = new World();
  await using server = await startUi(world);
  const taskId = 'bgb-000000000000';
  const wrong: readonly string[] = [
    '',
    'x',
    '[]',
    'null',
    '{"type":"open"}',
    '{"type":"open","id":1,"request":{"kind":"nothing"}}',
    '{"type":"open","id":-1,"request":{"kind":"tasks","usage":true}}',
    `{"type":"open","id":1,"request":{"kind":"lines","taskId":"${taskId}","stream":"../x","where":"behind","offset":0}}`,
    '{"type":"open","id":1,"request":{"kind":"task","taskId":"../../etc"}}',
    '{"type":"open","id":1,"request":{"kind":"act","action":"stop","taskIds":["x"]}}',
    `{"type":"open","id":1,"request":{"kind":"terminal","taskId":"${taskId}","cols":0,"rows":1,"readOnly":true}}`,
    '{"type":"credit","amount":-5}',
    '{"type":"credit","amount":1e999}',
  ];
  for (const text of wrong) {
    await using page = await PageClient.connect(server);
    const closed = new Promise((resolve) => page.socket.once('close', resolve));
    page.socket.send(text);
    assert.equal(await closed, 1002, text);
  }
  await using page = await PageClient.connect(server);
  const closed = new Promise((resolve) => page.socket.once('close', resolve));
  page.socket.send('x'.repeat(300_000));
  // On Windows the reset of the connection can be faster than the reason for it.
  assert.ok(
    [1009, ...(onWindows ? [1006] : [])].includes((await closed) as number),
    `too long: ${await closed}`,
  );
  await using other = await PageClient.connect(server);
  assert.equal(other.socket.readyState, other.socket.OPEN, 'the server goes on');
});

test('a client that is refused and keeps its socket open does not keep the server from closing', async () => {
  await using world = new World();
  const server = await startUi(world);
  const { host, port } = new URL(server.url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write(`GET /socket HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 403 /);
  await server.close();
  socket.destroy();
});

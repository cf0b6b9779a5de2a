import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { test } from 'node:test';
import { onWindows } from '../../support/processes.ts';
import { PageClient, startUi } from '../../support/ui.ts';
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

test('requests and sockets of others are refused, whatever they know', async () => {
  await using world = new World();
  await using server = await startUi(world);
  for (const [what, headers] of foreign) {
    for (const path of ['', 'page.js', 'door', 'download/x'])
      assert.equal((await get(server.url + path, headers)).status, 403, `${what} asks for /${path}`);
    await assert.rejects(PageClient.connect(server, { headers }), /refused with 403/, what);
  }
  await assert.rejects(PageClient.connect(server, { headers: { origin: '' } }), /refused with 403/);
});

test('a socket opens to the token alone, and so does the door', async () => {
  await using world = new World();
  await using server = await startUi(world);
  for (const token of ['', 'wrong', server.token.slice(1), `${server.token}x`])
    await assert.rejects(PageClient.connect(server, { token }), /refused with 401/, token);
  await assert.rejects(PageClient.connect(server, { path: 'elsewhere' }), /refused with 400/);
  await using page = await PageClient.connect(server);
  assert.equal(page.socket.readyState, page.socket.OPEN);
  assert.equal((await get(`${server.url}door`)).status, 401);
  assert.equal((await get(`${server.url}door`, { authorization: `Bearer ${server.token}x` })).status, 401);
  assert.equal((await get(`${server.url}door`, { authorization: `Bearer ${server.token}` })).status, 204);
});

test('the code for the opener gives the token once', async () => {
  await using world = new World();
  await using server = await startUi(world);
  const opened = server.urlForOpener();
  assert.equal(opened.includes(server.token), false);
  const code = opened.split('#code=')[1] ?? '';
  assert.match(code, /^[\w-]{43}$/);
  assert.equal((await get(`${server.url}door`, {}, 'POST', `${code}x`)).status, 401);
  const answer = await get(`${server.url}door`, {}, 'POST', code);
  assert.deepEqual([answer.status, answer.text], [200, server.token]);
  assert.equal((await get(`${server.url}door`, {}, 'POST', code)).status, 401, 'it was used');
  assert.equal((await get(`${server.url}door`, {}, 'POST', 'x'.repeat(100_000))).status, 413);
});

test('every answer forbids all that the page does not need', async () => {
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
  for (const path of ['', 'page.js', 'nothing', 'door']) {
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

test('nothing is served but the files of the page', async () => {
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

test('other machines reach it with a token file only', async () => {
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
});

test('what no page says ends the connection, and nothing else', async () => {
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

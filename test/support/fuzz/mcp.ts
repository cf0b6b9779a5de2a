import assert from 'node:assert/strict';
import { connect } from 'node:net';
import fc from 'fast-check';
import type { HttpServer } from '../../../src/mcp/index.ts';
import { modernBody, modernHeaders, testToken } from '../mcp-http.ts';
import type { World } from '../world.ts';
import type { Properties } from './properties.ts';
import { hostileText } from './texts.ts';

const json = fc.oneof(
  fc.jsonValue(),
  hostileText,
  fc.double(),
  fc.constantFrom(-1, 0, 1e300, '', null, [], {}),
);

/** No command that does anything: whatever else is said, what comes to run is this. */
const command = fc.oneof(
  fc.constant('true'),
  json.filter((value) => typeof value !== 'string'),
);
const call = fc.record({
  name: fc.oneof(fc.constantFrom('run', 'wait', 'output', 'kill', 'tasks'), fc.string()),
  args: fc.oneof(
    json.filter((value) => typeof value !== 'object' || value === null),
    fc.record(
      {
        command,
        ...Object.fromEntries(
          [
            'task',
            'cwd',
            'name',
            'timeout_ms',
            'wait_ms',
            'pattern',
            'port',
            'kill_signal',
            'offset',
            'max_bytes',
            'limit',
            'all',
            'raw',
            'stream',
            'label',
          ].map((key) => [key, json]),
        ),
      },
      { requiredKeys: [] },
    ),
  ),
});

/** Whether a server still answers as it should. */
async function stands({ url }: HttpServer): Promise<void> {
  const body = modernBody('tools/call', { name: 'tasks', arguments: {} });
  const answer = await fetch(url, {
    method: 'POST',
    headers: modernHeaders(body),
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200);
  assert.ok('result' in ((await answer.json()) as object));
}

/** One header or more that are wrong, of requests that are right otherwise. */
const headerLine = fc.oneof(
  fc.constantFrom(
    'Content-Length: -1',
    'Content-Length: 999999',
    'Content-Length: 5',
    'Content-Length: abc',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip',
    'Authorization: Bearer',
    `Authorization: bearer   ${testToken}`,
    'Host: evil',
    'Host:',
    'Origin: http://evil',
    'Outlive-Session: ',
    `Outlive-Session: ${'x'.repeat(3_000)}`,
    'Mcp-Session-Id: x',
    'Accept: */*',
    'Accept:',
    'Content-Type: text/html',
    'Content-Encoding: gzip',
    'Expect: 100-continue',
    'Upgrade: websocket',
    'Connection: upgrade',
    ' folded: x',
    ': none',
    'no colon',
    `X: ${'y'.repeat(20_000)}`,
    'Last-Event-Id: 5',
    'Mcp-Protocol-Version: 1999-01-01',
  ),
  fc.tuple(hostileText, hostileText).map(([name, value]) => `${name}: ${value}`),
);
const startLine = fc.oneof(
  fc.constantFrom(
    'POST /mcp HTTP/1.1',
    'POST /mcp HTTP/1.1',
    'GET /mcp HTTP/1.1',
    'DELETE /mcp HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'POST //evil/mcp HTTP/1.1',
    'POST http://evil/mcp HTTP/1.1',
    'POST /mcp?session=%00 HTTP/1.1',
    'POST /mcp?session=%ff HTTP/1.1',
    'CONNECT a:1 HTTP/1.1',
    'POST /mcp HTTP/0.9',
    'PRI * HTTP/2.0',
  ),
  hostileText,
);
const body = fc.oneof(
  fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '5',
    '{"jsonrpc":"2.0"}',
    `{"a":${'['.repeat(5_000)}`,
    `"${'x'.repeat(100_000)}"`,
  ),
  fc.json(),
  call.map(({ name, args }) => JSON.stringify(modernBody('tools/call', { name, arguments: args }))),
  fc
    .tuple(hostileText, fc.jsonValue())
    .map(([method, params]) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })),
);

/** Sends bytes as they are, in two parts and no more, and gives what comes back: an answer's head, or nothing. */
function sendRaw(url: string, text: string, cut: number): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    const done = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (more) => {
      answer += more.toString('latin1');
      // A whole answer, or the head of a stream: what it is tells enough.
      if (answer.includes('\r\n\r\n')) done();
    });
    socket.on('error', done).on('close', done);
    const bytes = Buffer.from(text, 'latin1');
    socket.write(bytes.subarray(0, cut));
    setImmediate(() => {
      // That nothing more will come makes the other side answer half a request, too.
      if (!socket.destroyed) socket.end(bytes.subarray(cut));
    });
  });
}

/** Properties of the door of a server over HTTP. Nothing that comes through it may end it. */
export function mcpProperties(server: HttpServer, world: World): Properties {
  return {
    'a tool that is called with anything answers, or refuses, and the server stands': fc.asyncProperty(
      call,
      async ({ name, args }) => {
        const whole = modernBody('tools/call', { name, arguments: args });
        const headers = { ...modernHeaders(whole), 'mcp-name': encodeURIComponent(name) };
        const answer = await fetch(server.url, {
          method: 'POST',
          headers,
          body: JSON.stringify(whole),
          signal: AbortSignal.timeout(20_000),
        });
        assert.ok(answer.status < 500, `status ${answer.status}`);
        const said = (await answer.json()) as { result?: unknown; error?: { code: number; message: string } };
        assert.ok(said.result !== undefined || said.error !== undefined);
        // An internal error is one that we did not think of.
        assert.notEqual(said.error?.code, -32603, JSON.stringify(said.error));
      },
    ),
    'whatever bytes come in, the server answers with no error of its own, and stands': fc.asyncProperty(
      startLine,
      fc.array(headerLine, { maxLength: 4 }),
      body,
      fc.nat({ max: 300 }),
      fc.boolean(),
      async (first, lines, content, cut, isGood) => {
        const good = modernHeaders(modernBody('tools/list'));
        const usual = isGood
          ? [
              ...Object.entries(good).map(([key, value]) => `${key}: ${value}`),
              `host: ${new URL(server.url).host}`,
              `content-length: ${Buffer.byteLength(content)}`,
            ]
          : [];
        const answer = await sendRaw(
          server.url,
          `${[first, ...usual, ...lines].join('\r\n')}\r\n\r\n${content}`,
          cut,
        );
        assert.doesNotMatch(answer, /^HTTP\/1.1 5/, answer.slice(0, 500));
        await stands(server);
        assert.ok(world.taskIds().length < 10_000);
      },
    ),
  };
}

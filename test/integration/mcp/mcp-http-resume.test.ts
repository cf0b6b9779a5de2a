import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { startHttp, testToken } from '../../support/mcp-http.ts';
import { World, waitFor } from '../../support/world.ts';

/** What is between a client and a server, and can break. */
class Line implements AsyncDisposable {
  readonly #server;
  readonly #sockets = new Set<Socket>();
  /** All that servers have sent. */
  heard = '';

  private constructor(target: URL) {
    this.#server = createServer((inner) => {
      const outer = connect(Number(target.port), target.hostname);
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => undefined).on('close', () => this.#sockets.delete(from));
        from.pipe(to);
      }
      outer.on('data', (data: Buffer) => {
        this.heard += data.toString();
      });
    });
  }

  static async to(url: string): Promise<{ line: Line; url: URL }> {
    const line = new Line(new URL(url));
    line.#server.listen(0, '127.0.0.1');
    await once(line.#server, 'listening');
    const { port } = line.#server.address() as AddressInfo;
    return { line, url: new URL(`http://127.0.0.1:${port}/mcp`) };
  }

  get isInUse(): boolean {
    return this.#sockets.size > 0;
  }

  /** Breaks all connections. */
  break(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.break();
    await once(this.#server, 'close');
  }
}

const headers = { authorization: `Bearer ${testToken}`, 'outlive-session': 's' };

async function legacyClient(url: URL): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers },
    reconnectionOptions: {
      initialReconnectionDelay: 50,
      maxReconnectionDelay: 500,
      reconnectionDelayGrowFactor: 2,
      maxRetries: 20,
    },
  });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return client;
}

for (const [when, command] of [
  ['while the call goes on', 'sleep 2; echo late'],
  ['again and again', 'sleep 3; echo late'],
] as const)
  test(`a client of 2025-11-25 resumes an answer whose connection broke ${when}`, async () => {
    await using world = new World();
    await using server = await startHttp(world);
    const { line, url } = await Line.to(server.url);
    await using _line = line;
    const client = await legacyClient(url);
    const call = client.callTool({ name: 'run', arguments: { command, wait_ms: 60_000 } });
    const events = (): number => line.heard.split(/^id: /m).length - 1;
    await waitFor(() => events() >= 1, 'the first event of the answer');
    line.break();
    if (when === 'again and again') {
      for (let count = 0; count < 3; count += 1) {
        await waitFor(() => line.isInUse, 'the client to connect again');
        line.break();
      }
    }
    const { content } = await call;
    assert.match(JSON.stringify(content), /late/);
    assert.equal(world.taskIds().length, 1, 'the call was made once');
    await client.close();
  });

/** Begins a call, and breaks off when its first event is there; the id of that event. */
async function brokenOff(url: string, command: string): Promise<string> {
  const gone = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    signal: gone.signal,
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
    body: JSON.stringify({
      ...{ jsonrpc: '2.0', id: 7, method: 'tools/call' },
      params: { name: 'run', arguments: { command, wait_ms: 60_000 } },
    }),
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  gone.abort();
  await reader.cancel().catch(() => undefined);
  return /^id: (.*)$/m.exec(new TextDecoder().decode(value))?.[1] ?? '';
}

async function rest(url: string, lastEventId: string, session = 's', token = testToken): Promise<Response> {
  const more = { accept: 'text/event-stream', 'last-event-id': lastEventId, 'outlive-session': session };
  return await fetch(url, { headers: { ...headers, ...more, authorization: `Bearer ${token}` } });
}

test('an answer that was made after its client left is kept, and no other client gets it', async () => {
  await using world = new World();
  await using server = await startHttp(world);
  const id = await brokenOff(server.url, 'sleep 0.3; echo late');
  const session = await world.session('s');
  await waitFor(async () => (await session.tasks())[0]?.status === 'completed', 'the task to end');
  assert.equal((await rest(server.url, id, 'other')).status, 405);
  assert.equal((await rest(server.url, id, 's', 'another-token-for-tests')).status, 401);
  for (const none of ['', 'x', `${id.slice(0, 36)}.x`, `${'0'.repeat(36)}.0`, `${id.slice(0, 36)}.99`])
    assert.equal((await rest(server.url, none)).status, 405, none);
  for (let again = 0; again < 2; again += 1) {
    const text = await (await rest(server.url, id)).text();
    assert.match(text, /^id: /m);
    const { id: answered, result } = JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? '{}');
    assert.equal(answered, 7);
    assert.match(JSON.stringify(result), /late/);
  }
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, request as requestOver, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { mapped, type Start } from './fixtures.ts';

/** A server, and the token and the session that its clients send. */
interface Behind {
  readonly url: string;
  readonly token: string;
  readonly session: string;
}

/**
 * A proxy between a server and the suite, which cannot send a token. It adds the token and the session, and replaces
 * calls of the tools that the suite expects by calls of `run`. It does not change the answers of the server.
 */
export class SuiteProxy implements AsyncDisposable {
  readonly #server = createServer((incoming, response) => {
    this.#pass(incoming, response).catch((error: Error) => response.writeHead(502).end(error.stack));
  });
  readonly #behind: Behind;

  private constructor(behind: Behind) {
    this.#behind = behind;
  }

  static async start(behind: Behind): Promise<SuiteProxy> {
    const proxy = new SuiteProxy(behind);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/mcp`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = await buffer(incoming);
    const asked = parsed(sent);
    const instead = asked === null ? null : await mapped(asked, this.#start);
    const isSame = instead === asked;
    const body = isSame ? sent : Buffer.from(JSON.stringify(instead));
    const { 'transfer-encoding': _, ...headers } = { ...incoming.headers, ...this.#entry() };
    // Since 2026-07-28 the name is in a header too. If the suite sends a different name there, it stays different.
    if (!isSame && headers['mcp-name'] === nameIn(asked)) headers['mcp-name'] = nameIn(instead);
    if (incoming.method === 'POST') headers['content-length'] = String(body.length);
    const outgoing = requestOver(new URL(incoming.url ?? '', this.#behind.url), {
      method: incoming.method ?? 'GET',
      headers,
    });
    // If the client goes away, the request to the server ends too.
    response.once('close', () => outgoing.destroy());
    outgoing.on('error', (error) => response.destroy(error));
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', (error) => response.destroy(error)).pipe(response);
    });
    outgoing.end(body);
  }

  readonly #start: Start = async (command) => {
    // Waits for the end of the command, so that its output is complete when it is read.
    const params = { name: 'run', arguments: { command, wait_ms: 20_000 } };
    const answer = await fetch(this.#behind.url, {
      method: 'POST',
      headers: {
        ...this.#entry(),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    const text = await answer.text();
    const [taskId] = /bgb-[0-9a-f]{12}/.exec(text) ?? [];
    if (taskId === undefined) throw new Error(`expected the id of a task, found: ${text}`);
    return taskId;
  };

  #entry(): Record<string, string> {
    const { token, session } = this.#behind;
    return { authorization: `Bearer ${token}`, 'outlive-session': session };
  }
}

/** The request in a body; null if it is not one. */
function parsed(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && 'method' in value ? { ...value } : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** The part of a request that the header Mcp-Name repeats. */
function nameIn(request: Readonly<Record<string, unknown>> | null): string | undefined {
  const { name, uri } = (request?.params ?? {}) as { name?: string; uri?: string };
  return name ?? uri;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createMcpHandler, type JSONRPCRequest, readRequestBody } from '@modelcontextprotocol/server';
import type { Store } from '../api/store.ts';
import { Desks } from './desks.ts';
import { webRequest, writeResponse } from './http-bridge.ts';
import { checkRequest, type Door, mcpPath } from './http-guard.ts';
import { listenForTasks } from './http-listen.ts';
import { HttpPeers } from './http-peers.ts';
import { chooseToken } from './http-token.ts';
import { makeServer } from './make-server.ts';
import type { Peer } from './peer.ts';

/** How to serve MCP over Streamable HTTP. */
export interface HttpServerOptions {
  /** Where the tasks are. It stays open when the server is closed. */
  readonly store: Store;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes any that is free. @default 0 */
  readonly port?: number;
  /** What clients must show as `Authorization: Bearer`: 16 printable characters or more. @default the content of `tokenFile`, else `$OUTLIVE_MCP_TOKEN`, else a new one */
  readonly token?: string;
  /** A file with the token. */
  readonly tokenFile?: string;
  /** Session of clients that name none with the header Outlive-Session. @default none: they must name one */
  readonly session?: string;
  /** Further host names by which the server is reached, besides localhost and `host`. */
  readonly hostnames?: readonly string[];
  /** Told of what went wrong and concerns no single request. @default nobody */
  readonly onError?: (error: Error) => void;
}

/** A server that runs. */
export interface HttpServer extends AsyncDisposable {
  /** Where clients connect to. */
  readonly url: string;
  readonly token: string;
  /** The token was made here, so whoever starts the server has to say it. */
  readonly tokenWasMade: boolean;
  /** Ends the server and its connections; tasks go on. */
  close(): Promise<void>;
}

/** Bytes of a request that are read. */
const mostBodyBytes = 4 * 1024 ** 2;

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Serves MCP over Streamable HTTP to whoever shows the token.
 * @throws OutliveError `INVALID_ARGUMENT`; what `listen` throws when the port cannot be had.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { store, host = '127.0.0.1', port = 0, session = null, onError } = options;
  const token = chooseToken(options.token, options.tokenFile);
  const hostnames = [...loopback, host.includes(':') ? `[${host}]` : host, ...(options.hostnames ?? [])];
  const endpoint = new Endpoint(
    store,
    { token: token.value, hostnames, session },
    onError ?? (() => undefined),
  );
  const server = createServer((request, response) => endpoint.serve(request, response));
  await listen(server, port, host);
  const address = server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await endpoint.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://${shownHost}:${actualPort}${mcpPath}`,
    token: token.value,
    tokenWasMade: token.wasMade,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** One request over HTTP, from its coming to its end. */
interface Exchange {
  readonly peer: Peer;
  readonly session: string;
}

class Endpoint {
  readonly #door: Door;
  readonly #peers: HttpPeers;
  readonly #onError: (error: Error) => void;
  readonly #exchanges = new WeakMap<Request, Exchange>();
  readonly #handler: ReturnType<typeof createMcpHandler>;

  constructor(store: Store, door: Door, onError: (error: Error) => void) {
    this.#door = door;
    this.#peers = new HttpPeers(new Desks(store));
    this.#onError = onError;
    this.#handler = createMcpHandler(({ era, requestInfo }) => this.#make(era, requestInfo).server, {
      onerror: onError,
    });
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: Error) => {
      this.#onError(error);
      if (!response.headersSent) refuse(response, 500, 'the server failed');
      else response.destroy();
    });
  }

  async close(): Promise<void> {
    await this.#handler.close();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = checkRequest(incoming, this.#door);
    if ('status' in entry) return refuse(response, entry.status, entry.message);
    const request = webRequest(incoming, response);
    const body = await readBody(request);
    if ('status' in body) return refuse(response, body.status, body.message);
    const { peer, release } = this.#peers.take(entry.session);
    const exchange: Exchange = { peer, session: entry.session };
    response.once('close', () => {
      release();
      if (response.writableFinished) peer.receipts.answered(exchange);
      else peer.receipts.dropped(exchange);
    });
    this.#exchanges.set(request, exchange);
    const method = methodOf(body.parsed);
    const listens = method === 'subscriptions/listen';
    if (!listens) peer.receipts.arrived(exchange, method === 'tools/call');
    const answer = await this.#handler.fetch(request, 'parsed' in body ? { parsedBody: body.parsed } : {});
    const made = listens ? this.#make('modern', request) : null;
    const whole = made === null ? answer : listenForTasks(body.parsed as JSONRPCRequest, answer, peer, made);
    await writeResponse(whole, response);
  }

  #make(era: 'legacy' | 'modern', request: Request | undefined) {
    const exchange = request === undefined ? undefined : this.#exchanges.get(request);
    if (exchange === undefined) throw new Error('expected a request of this endpoint; found another one');
    const { peer, session } = exchange;
    return makeServer({ era, peer, session, canPush: false, requestKey: () => exchange });
  }
}

interface Body {
  readonly parsed?: unknown;
}

async function readBody(request: Request): Promise<Body | { status: number; message: string }> {
  if (request.method !== 'POST') return {};
  const body = await readRequestBody(request, mostBodyBytes);
  if (body.tooLarge) return { status: 413, message: `expected at most ${mostBodyBytes} bytes` };
  try {
    return { parsed: JSON.parse(body.text) };
  } catch {
    return { status: 400, message: 'expected a body that is JSON' };
  }
}

function methodOf(parsed: unknown): unknown {
  return typeof parsed === 'object' && parsed !== null && 'method' in parsed ? parsed.method : undefined;
}

/** Refuses before anything of the request was looked at; what else comes of it is not read. */
function refuse(response: ServerResponse, status: number, message: string): void {
  const code = status === 400 ? -32_600 : -32_000;
  response.writeHead(status, {
    'content-type': 'application/json',
    connection: 'close',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

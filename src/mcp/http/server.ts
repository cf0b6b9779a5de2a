import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createMcpHandler,
  isLegacyRequest,
  type JSONRPCRequest,
  readRequestBody,
} from '@modelcontextprotocol/server';
import type { Store } from '../../api/store.ts';
import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { hearerIn } from '../../tools/delivery/asker.ts';
import { ClientSessions } from '../../tools/delivery/client-sessions.ts';
import type { Connection } from '../../tools/delivery/connection.ts';
import type { FleetSource } from '../../tools/fleet/agent-fleet.ts';
import type { RemoteDelivery } from '../../tools/fleet/remote-delivery.ts';
import { listen } from '../../web/listen.ts';
import { chooseToken, showsToken } from '../../web/token.ts';
import { WaitingConnections } from '../../web/waiting-connections.ts';
import { makeServer } from '../make-server.ts';
import { report } from '../report.ts';
import { webRequest, writeResponse } from './bridge.ts';
import { HttpConnections } from './connections.ts';
import { checkRequest, type Door, mcpPath } from './guard.ts';
import { listenForTasks } from './listen.ts';
import { ResumableAnswers } from './resumable-answers.ts';

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
  /** Answers also come as structure: see {@link StdioServerOptions.structured}. @default false */
  readonly structured?: boolean;
  /** Opens the fleet: see {@link StdioServerOptions.fleet}. @default none */
  readonly fleet?: FleetSource;
  /** Further host names by which the server is reached, besides localhost and `host`. */
  readonly hostnames?: readonly string[];
  /** Told of what went wrong and concerns no single request. @default nobody */
  readonly onError?: (error: Error) => void;
}

const httpServerOptionNames: OptionNames<HttpServerOptions> = {
  store: true,
  host: true,
  port: true,
  token: true,
  tokenFile: true,
  session: true,
  structured: true,
  fleet: true,
  hostnames: true,
  onError: true,
};

/** A server that runs. */
export interface HttpServer extends AsyncDisposable {
  /** Where clients connect to. */
  readonly url: string;
  readonly token: string;
  /** The token was made here, so the process that starts the server has to say it. */
  readonly tokenWasMade: boolean;
  /** Ends the server and its connections; tasks go on. */
  close(): Promise<void>;
}

/** Bytes of a request that are read. */
const mostBodyBytes = 4 * 1024 ** 2;

/** How long a client may take, in milliseconds: for the headers of a request, and for all of it. */
const times = { headersTimeout: 5_000, requestTimeout: 60_000, connectionsCheckingInterval: 1_000 };

/** What may take longer than a connection lives. */
const slowMethods: ReadonlySet<unknown> = new Set(['tools/call', 'tasks/result']);

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Serves MCP over Streamable HTTP to clients that show the token.
 * @throws OutliveError `INVALID_ARGUMENT`; what `listen` throws when the port cannot be had.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  checkOptions('startHttpServer()', options, httpServerOptionNames);
  const { store, host = '127.0.0.1', port = 0, session = null, structured = false, onError } = options;
  const token = chooseToken({
    given: options.token,
    file: options.tokenFile,
    variable: 'OUTLIVE_MCP_TOKEN',
  });
  const hostnames = [...loopback, host.includes(':') ? `[${host}]` : host, ...(options.hostnames ?? [])];
  const connections = new HttpConnections(new ClientSessions(store), options.fleet);
  const endpoint = new Endpoint(connections, { token: token.value, hostnames, session }, structured, onError);
  const server = createServer(times, (request, response) => endpoint.serve(request, response));
  new WaitingConnections(server, ({ headers }) => showsToken(headers.authorization, token.value));
  const actualPort = await listen(server, port, host);
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
  readonly connection: Connection;
  readonly remote: RemoteDelivery | null;
  readonly session: string;
}

class Endpoint {
  readonly #door: Door;
  readonly #structured: boolean;
  readonly #connections: HttpConnections;
  readonly #onError: ((error: Error) => void) | undefined;
  readonly #exchanges = new WeakMap<Request, Exchange>();
  readonly #handler: ReturnType<typeof createMcpHandler>;
  readonly #resumable = new ResumableAnswers();

  constructor(
    connections: HttpConnections,
    door: Door,
    structured: boolean,
    onError: ((error: Error) => void) | undefined,
  ) {
    this.#door = door;
    this.#structured = structured;
    this.#connections = connections;
    this.#onError = onError;
    this.#handler = createMcpHandler(({ era, requestInfo }) => this.#make(era, requestInfo).server, {
      // What a client did wrong is told to nobody else when nobody wants to know.
      ...(onError && { onerror: onError }),
    });
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: Error) => {
      if (this.#onError === undefined) report('answering a request', error);
      else this.#onError(error);
      if (!response.headersSent) refuse(response, 500, 'the server failed');
      else response.destroy();
    });
  }

  async close(): Promise<void> {
    this.#resumable.close();
    await this.#handler.close();
    await this.#connections.close();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = checkRequest(incoming, this.#door);
    if ('status' in entry) return refuse(response, entry.status, entry.message);
    const request = webRequest(incoming, response);
    const body = await readBody(request);
    if ('status' in body) return refuse(response, body.status, body.message);
    const { connection, remote, release } = this.#connections.take(entry.session);
    const exchange: Exchange = { connection, remote, session: entry.session };
    response.once('close', () => {
      release();
      if (response.writableFinished) connection.receipts.answered(exchange);
      else connection.receipts.dropped(exchange);
    });
    this.#exchanges.set(request, exchange);
    const method = methodOf(body.parsed);
    const listens = method === 'subscriptions/listen';
    if (!listens) connection.receipts.arrived(exchange, method === 'tools/call', hearerOf(body.parsed));
    const answer =
      (await this.#resumed(request, body.parsed, entry.session)) ??
      (await this.#handler.fetch(request, 'parsed' in body ? { parsedBody: body.parsed } : {}));
    const made = listens ? this.#make('modern', request) : null;
    const whole =
      made === null ? answer : listenForTasks(body.parsed as JSONRPCRequest, answer, connection, made);
    await writeResponse(whole, response);
  }

  /** The answer to a call of protocol 2025-11-25, which can be taken up again, or what is left of one; null: another request. */
  async #resumed(request: Request, parsed: unknown, session: string): Promise<Response | null> {
    if (parsed === undefined) return this.#resumable.resume(request, session);
    if (!slowMethods.has(methodOf(parsed)) || !(await isLegacyRequest(request, parsed))) return null;
    return await this.#resumable.begin(this.#make('legacy', request).server, request, parsed, session);
  }

  #make(era: 'legacy' | 'modern', request: Request | undefined) {
    const exchange = request === undefined ? undefined : this.#exchanges.get(request);
    if (exchange === undefined) throw new Error('expected a request of this endpoint; found another one');
    const { connection, remote, session } = exchange;
    const structured = this.#structured;
    return makeServer({
      ...{ era, connection, session, cwd: null, bindTo: 'session', remote, structured, canPush: false },
      requestKey: () => exchange,
    });
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
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { status: 400, message: 'expected a body that is JSON' };
  }
}

/** See `hearerIn`. */
function hearerOf(parsed: unknown): string | null {
  const { params } = fields(parsed);
  return hearerIn(fields(fields(params)._meta));
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
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

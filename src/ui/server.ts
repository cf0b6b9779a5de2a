import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Store } from '../api/store.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { isForeseen } from '../errors/expected.ts';
import { warn } from '../errors/warnings.ts';
import { isLoopback } from '../platform/loopback.ts';
import type { FleetSource } from '../tools/fleet/agent-fleet.ts';
import { FleetLink } from '../tools/fleet/fleet-link.ts';
import { listen } from '../web/listen.ts';
import { chooseToken } from '../web/token.ts';
import { WaitingConnections } from '../web/waiting-connections.ts';
import { Door } from './door.ts';
import { sendDownload } from './download.ts';
import { type Reached, type Refusal, reachedAt, refusalOf, upgradeRefusalOf } from './guard.ts';
import { PageConnection, type Served } from './page-connection.ts';
import { commonHeaders, pageFile } from './page-files.ts';
import { mostMessageBytes, protocolName } from './protocol.ts';
import { RemoteFeed } from './remote-feed.ts';
import { RemoteTasks } from './remote-tasks.ts';
import { TasksFeed } from './tasks-feed.ts';

/** How to serve the dashboard. */
export interface UiServerOptions {
  /** Where the tasks are. It stays open when the server is closed. */
  readonly store: Store;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes any free port. @default 0 */
  readonly port?: number;
  /** A file with the token. @default a new token */
  readonly tokenFile?: string;
  /** Whether pages may not act on tasks, nor type. @default false */
  readonly readOnly?: boolean;
  /**
   * Opens the fleet whose tasks are shown too. It is called when the first page comes; the fleet stays open.
   * @default none
   */
  readonly fleet?: FleetSource;
}

/** A running dashboard. */
export interface UiServer extends AsyncDisposable {
  /** The address of the page, without a secret. */
  readonly url: string;
  readonly token: string;
  /** Whether the token was made here, so that the process that starts the server has to show it. */
  readonly tokenWasMade: boolean;
  /** How many pages are connected. */
  readonly pages: number;
  /** An address that lets one page in, within a minute: for the system's opener, whose arguments others can see. */
  urlForOpener(): string;
  /** Called when a page has connected or gone. */
  onPages: (() => void) | null;
  /** Ends the server and disconnects its pages; tasks go on. */
  close(): Promise<void>;
}

/** How long a client may take, in milliseconds: for the headers of a request, and for the whole request. */
const times = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };

/** How many pages may be connected at once. */
const mostPages = 64;

/** A page that does not answer for this long is gone, in milliseconds. */
const pingMs = 30_000;

/** The longest body of a page that was not let in yet: a code or a nonce has 43 bytes. */
const mostBodyBytes = 256;

/**
 * Serves the dashboard to pages that prove that they know the token.
 * @throws OutliveError `INVALID_ARGUMENT`; what `listen` throws when the port cannot be had.
 */
export async function startUiServer(options: UiServerOptions): Promise<UiServer> {
  const { store, host = '127.0.0.1', port = 0, readOnly = false, tokenFile, fleet } = options;
  if (!isLoopback(host) && tokenFile === undefined)
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected --token-file with a host that other machines can reach; found ${shown(host)} alone. What is sent is not encrypted: use a tunnel (ssh -L) where you can.`,
    );
  const token = chooseToken({ file: tokenFile });
  const remote = fleet === undefined ? null : remoteOf(new FleetLink(fleet));
  const door = new Door(token.value);
  const endpoint = new Endpoint({ store, door, feed: new TasksFeed(store), readOnly, remote });
  const server = createServer(times, (request, response) => endpoint.serve(request, response));
  // Only the upgrade to a WebSocket shows the token.
  const waiting = new WaitingConnections(server, () => false);
  server.on('upgrade', (request, socket, head) => {
    if (endpoint.upgrade(request, socket, head)) waiting.letIn(request.socket);
  });
  const actualPort = await listen(server, port, host);
  endpoint.reached = reachedAt(host, actualPort);
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${actualPort}/`;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    endpoint.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url,
    token: token.value,
    tokenWasMade: token.wasMade,
    get pages() {
      return endpoint.pages.size;
    },
    urlForOpener: () => `${url}#code=${endpoint.served.door.newCode()}`,
    get onPages() {
      return endpoint.onPages;
    },
    set onPages(listener) {
      endpoint.onPages = listener;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function remoteOf(link: FleetLink): Served['remote'] {
  return { feed: new RemoteFeed(link), tasks: new RemoteTasks(link) };
}

class Endpoint {
  readonly served: Served;
  readonly pages = new Set<WebSocket>();
  reached: Reached = () => false;
  onPages: (() => void) | null = null;
  readonly #sockets: WebSocketServer;
  readonly #pings: NodeJS.Timeout;

  constructor(served: Served) {
    this.served = served;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: mostMessageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(protocolName) ? protocolName : false),
    });
    this.#pings = setInterval(() => this.#ping(), pingMs);
    this.#pings.unref();
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    // If a client disconnects during the answer, there is nothing more to do.
    response.on('error', () => undefined);
    this.#answer(request, response).catch((error: unknown) => {
      if (!isForeseen(error)) warn({ doing: 'answering a request', error, dir: this.served.store.dir });
      if (response.headersSent) response.destroy();
      else refuse(response, { status: 500, message: 'the server has failed to answer this request' });
    });
  }

  /** @returns whether it is a page that has proven to know the token. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    socket.on('error', () => socket.destroy());
    const refusal = this.#upgradeRefusal(request);
    if (refusal !== null) {
      const answer = `HTTP/1.1 ${refusal.status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
      // A client that keeps its side open would keep the socket open, and so keep the server from closing.
      socket.end(answer, () => socket.destroy());
      return false;
    }
    this.#sockets.handleUpgrade(request, socket, head, (page) => this.#connected(page));
    return true;
  }

  close(): void {
    clearInterval(this.#pings);
    for (const page of this.pages) page.terminate();
    this.#sockets.close();
  }

  #upgradeRefusal(request: IncomingMessage): Refusal | null {
    const refusal = upgradeRefusalOf(request, this.reached);
    if (refusal !== null) return refusal;
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const host = hostOf(request);
    if (!offered.some((shownProof) => this.served.door.letsIn(host, shownProof)))
      return { status: 401, message: 'expected a proof of the token' };
    if (pathOf(request) !== '/socket' || !offered.includes(protocolName))
      return { status: 400, message: `expected ${protocolName} at /socket` };
    return this.pages.size < mostPages ? null : { status: 503, message: 'too many pages' };
  }

  #connected(page: WebSocket): void {
    this.pages.add(page);
    alive.add(page);
    page.on('pong', () => alive.add(page));
    page.on('error', () => page.terminate());
    page.once('close', () => {
      this.pages.delete(page);
      this.onPages?.();
    });
    new PageConnection(page, this.served);
    this.onPages?.();
  }

  #ping(): void {
    for (const page of this.pages) {
      if (!alive.delete(page)) page.terminate();
      else page.ping();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request);
    const refusal = refusalOf(request, this.reached, path === '/' && request.method === 'GET');
    if (refusal !== null) return refuse(response, refusal);
    if (request.method === 'POST' && path === '/door') return await this.#open(request, response);
    if (request.method === 'POST' && path === '/challenge') return await this.#prove(request, response);
    if (request.method !== 'GET') return refuse(response, { status: 405, message: 'expected GET' });
    if (path.startsWith('/download/')) return await this.#download(path.slice('/download/'.length), response);
    const file = await pageFile(path, String(request.headers.host));
    if (file === null) return refuse(response, { status: 404, message: 'not found' });
    response.writeHead(200, file.headers);
    response.end(file.body);
  }

  /** Gives a pass for a one-time code. */
  async #open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const code = await smallBody(request);
    if (code === null) return refuse(response, { status: 413, message: 'expected a code' });
    const pass = this.served.door.takeCode(code);
    if (pass === null)
      return refuse(response, { status: 401, message: 'expected a code that is valid and was not used yet' });
    answer(response, 'text/plain; charset=utf-8', pass);
  }

  /** Proves to a page that has sent a nonce that this server knows the token. */
  async #prove(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pageNonce = await smallBody(request);
    const challenge = this.served.door.challenge(hostOf(request), pageNonce ?? '');
    if (challenge === null) return refuse(response, { status: 400, message: 'expected 32 random bytes' });
    answer(response, 'application/json', JSON.stringify(challenge));
  }

  async #download(secret: string, response: ServerResponse): Promise<void> {
    const download = this.served.door.takeDownload(secret);
    if (download === null)
      return refuse(response, {
        status: 404,
        message: 'this download has already begun, or its address has expired',
      });
    await sendDownload(this.served.store.task(download.taskId), download.stream, response);
  }
}

/** The host of a request that was checked. */
function hostOf(request: IncomingMessage): string {
  return String(request.headers.host).toLowerCase();
}

/** @returns null if it is too long. */
async function smallBody(request: IncomingMessage): Promise<string | null> {
  let body = '';
  for await (const part of request) {
    body += String(part);
    if (body.length > mostBodyBytes) return null;
  }
  return body;
}

/** The client has not been let in yet, and keeps no connection. */
function answer(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { ...commonHeaders, 'content-type': type, connection: 'close' });
  response.end(text);
}

/** Pages that have answered the last ping. */
const alive = new WeakSet<WebSocket>();

function refuse(response: ServerResponse, { status, message }: Refusal): void {
  response.writeHead(status, {
    ...commonHeaders,
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    ...(status >= 400 && { connection: 'close' }),
  });
  response.end(message);
}

/** The path without the query. A URL with a host in it matches no path of ours. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split(/[?#]/, 1)[0] ?? '';
}

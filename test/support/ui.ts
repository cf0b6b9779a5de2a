import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Challenge } from '../../src/ui/handshake.ts';
import { isProven, keyOf, newNonce, proofFor } from '../../src/ui/page/proof.ts';
import {
  decodeBytes,
  decodeServerMessage,
  encodePageMessage,
  type Failure,
  type PageMessage,
  protocolName,
  type Request,
  type ServerMessage,
} from '../../src/ui/protocol.ts';
import { startUiServer, type UiServer, type UiServerOptions } from '../../src/ui/server.ts';
import { type World, waitFor } from './world.ts';

/** The server of the dashboard in this process, on a world's store. */
export async function startUi(world: World, options: Omit<UiServerOptions, 'store'> = {}): Promise<UiServer> {
  const { readOnly = false } = options;
  return await startUiServer({ store: await world.store({ readOnly }), ...options });
}

/** How a test connects. */
interface Connecting {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  /** Whether what comes is counted as taken, as a page does. */
  readonly takes?: boolean;
}

/**
 * What a page does before it connects.
 * @returns what it would show the server, and whether the server has proven itself.
 */
export async function meet(url: string, token: string): Promise<Met> {
  const pageNonce = newNonce();
  const answer = await fetch(new URL('challenge', url), { method: 'POST', body: pageNonce });
  const challenge = (await answer.json()) as Challenge;
  const meeting = { host: new URL(url).host, pageNonce, nonce: challenge.nonce };
  const key = keyOf(token);
  return { challenge, isProven: isProven(key, meeting, challenge), proof: proofFor(key, meeting) };
}

interface Met {
  readonly challenge: Challenge;
  readonly isProven: boolean;
  readonly proof: string;
}

/** A page without a browser. */
export class PageClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly #takes: boolean;
  readonly #channels = new Map<number, Heard>();
  #nextId = 1;
  hello: ServerMessage | null = null;
  /** Characters and bytes that have come. */
  received = 0;

  private constructor(socket: WebSocket, takes: boolean) {
    this.socket = socket;
    this.#takes = takes;
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data, isBinary) => this.#hear(data as ArrayBuffer, isBinary));
    // How it failed is what `connect` throws, or its end.
    socket.on('error', () => undefined);
  }

  /** @throws Error with the status of the answer, when it is refused. */
  static async connect(server: UiServer, options: Connecting = {}): Promise<PageClient> {
    const { token = server.token, headers = {}, path = 'socket', takes = true } = options;
    const url = new URL(path, server.url.replace('http:', 'ws:'));
    const origin = server.url.replace(/\/$/, '');
    const protocols = [protocolName, ...(token === '' ? [] : [(await meet(server.url, token)).proof])];
    const socket = new WebSocket(url, protocols, { headers: { origin, ...headers } });
    const client = new PageClient(socket, takes);
    const refused = once(socket, 'unexpected-response').then(([, response]) => {
      socket.terminate();
      throw new Error(`refused with ${response.statusCode}`);
    });
    await Promise.race([once(socket, 'open'), refused]);
    return client;
  }

  /** How many channels have ended. */
  get ended(): number {
    return [...this.#channels.values()].filter(({ hasEnded }) => hasEnded).length;
  }

  /** Opens a channel. */
  open(request: Request): Heard {
    const id = this.#nextId++;
    const heard = new Heard(id);
    this.#channels.set(id, heard);
    this.send({ type: 'open', id, request });
    return heard;
  }

  /** All that comes on a channel until it ends. @throws Error with the failure. */
  async all<Data>(request: Request): Promise<Data[]> {
    const heard = this.open(request);
    await waitFor(() => heard.hasEnded, `the end of ${request.kind}`);
    if (heard.failure !== null) throw Object.assign(new Error(heard.failure.message), heard.failure);
    return heard.data as Data[];
  }

  send(message: PageMessage): void {
    this.socket.send(encodePageMessage(message));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }

  #hear(data: ArrayBuffer, isBinary: boolean): void {
    const amount = isBinary ? data.byteLength : this.#hearText(Buffer.from(data).toString());
    if (isBinary) {
      const { id, bytes } = decodeBytes(data);
      this.#channels.get(id)?.bytes.push(Buffer.from(bytes));
    }
    this.received += amount;
    if (this.#takes) this.send({ type: 'credit', amount });
  }

  #hearText(text: string): number {
    const message = decodeServerMessage(text);
    if (message.type === 'hello') this.hello = message;
    else if (message.type === 'data') this.#channels.get(message.id)?.data.push(message.data);
    else this.#channels.get(message.id)?.end(message.error);
    return text.length;
  }
}

/** What came on a channel. */
class Heard {
  readonly id: number;
  readonly data: unknown[] = [];
  readonly bytes: Buffer[] = [];
  hasEnded = false;
  failure: Failure | null = null;

  constructor(id: number) {
    this.id = id;
  }

  end(failure: Failure | null): void {
    this.failure = failure;
    this.hasEnded = true;
  }
}

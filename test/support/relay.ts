import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Which way bytes go: to the server, or back from it. */
export type Way = 'there' | 'back';

/** A pair of connections, and what waits to be handed on. */
interface Line {
  readonly client: Socket;
  readonly server: Socket;
  readonly waiting: Record<Way, Buffer[]>;
}

/** A way to a server that can fall silent: its connections stay open, new ones are taken, and nothing comes through. */
export class Relay implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  readonly #silent = new Set<Way>();
  #slow: NodeJS.Timeout | undefined;
  #trigger: { readonly text: string; readonly then: readonly Way[] } | null = null;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param to the port of the server on loopback. */
  static async start(to: number): Promise<Relay> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const relay = new Relay(server, typeof address === 'object' && address !== null ? address.port : 0);
    server.on('connection', (client) => relay.#take(client, to));
    return relay;
  }

  get isSilent(): boolean {
    return this.#silent.size > 0;
  }

  /** From now on nothing comes through in these ways. */
  fallSilent(ways: readonly Way[] = ['there', 'back']): void {
    for (const way of ways) this.#silent.add(way);
  }

  /** Falls silent as soon as a text has gone to the server, which gets it. */
  fallSilentAfter(text: string, then: readonly Way[]): void {
    this.#trigger = { text, then };
  }

  /** From now on so many bytes at most come back in a tenth of a second. */
  slowDown(bytes: number): void {
    this.fallSilent(['back']);
    this.#slow = setInterval(() => {
      for (const line of this.#lines) {
        const waiting = Buffer.concat(line.waiting.back.splice(0));
        if (waiting.length > 0) line.client.write(waiting.subarray(0, bytes));
        if (waiting.length > bytes) line.waiting.back.push(waiting.subarray(bytes));
      }
    }, 100);
  }

  /** What has waited comes through, late, and so does everything from then on. */
  speak(): void {
    this.#silent.clear();
    for (const line of this.#lines)
      for (const way of ['there', 'back'] as const)
        for (const bytes of line.waiting[way].splice(0)) end(line, way).write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#slow);
    for (const { client, server } of this.#lines) {
      client.destroy();
      server.destroy();
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #take(client: Socket, to: number): void {
    const server = connect(to, '127.0.0.1');
    const line: Line = { client, server, waiting: { there: [], back: [] } };
    this.#lines.add(line);
    client.on('data', (bytes) => this.#pass(line, 'there', bytes));
    server.on('data', (bytes) => this.#pass(line, 'back', bytes));
    // Who closes is not told of by a way that is silent.
    client.on('close', () => this.#close(line, server));
    server.on('close', () => this.#close(line, client));
    for (const socket of [client, server]) socket.on('error', () => undefined);
  }

  #pass(line: Line, way: Way, bytes: Buffer): void {
    if (this.#silent.has(way)) line.waiting[way].push(bytes);
    else end(line, way).write(bytes);
    if (way === 'there' && this.#trigger !== null && bytes.includes(this.#trigger.text)) {
      this.fallSilent(this.#trigger.then);
      this.#trigger = null;
    }
  }

  #close(line: Line, other: Socket): void {
    if (this.isSilent) return;
    this.#lines.delete(line);
    other.destroy();
  }
}

function end({ client, server }: Line, way: Way): Socket {
  return way === 'there' ? server : client;
}

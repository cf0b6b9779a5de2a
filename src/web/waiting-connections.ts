import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How many connections may be open at once that have not shown the token: from one address, and from all. */
const mostOfOne = 32;
const mostOfAll = 128;

/**
 * The connections of a server that have not shown its token yet. Anybody who reaches the port can open them and send
 * nothing, and each takes a descriptor. When there are too many, the oldest is closed: a client shows the token with
 * its first request, a moment after it has connected.
 */
export class WaitingConnections {
  /** The oldest first. */
  readonly #waiting = new Set<Socket>();

  /** Counts from the next connection on. @param showsToken whether a request shows the token. */
  constructor(server: Server, showsToken: (request: IncomingMessage) => boolean) {
    server.on('request', (request) => {
      if (showsToken(request)) this.#waiting.delete(request.socket);
    });
    server.on('connection', (socket: Socket) => {
      this.#waiting.add(socket);
      socket.once('close', () => this.#waiting.delete(socket));
      this.#makeRoom(socket.remoteAddress);
    });
  }

  /** Notes that a connection has shown the token in another way. */
  letIn(socket: Socket): void {
    this.#waiting.delete(socket);
  }

  #makeRoom(address: string | undefined): void {
    const ofOne = [...this.#waiting].filter(({ remoteAddress }) => remoteAddress === address);
    if (ofOne.length > mostOfOne) this.#close(ofOne[0]);
    if (this.#waiting.size > mostOfAll) this.#close(this.#waiting.values().next().value);
  }

  #close(socket: Socket | undefined): void {
    if (socket === undefined) return;
    this.#waiting.delete(socket);
    socket.destroy();
  }
}

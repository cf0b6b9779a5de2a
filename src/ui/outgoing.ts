import type { WebSocket } from 'ws';
import { creditBytes, encodeBytes, encodeServerMessage, type ServerMessage } from './protocol.ts';

/** If so much waits for a page that keeps asking but takes no answer, it is disconnected: characters and bytes. */
const mostUntaken = 4 * 1024 ** 2;

/** Sends to one page at its pace: data waits while the page has too much that it has not taken. */
export class Outgoing {
  readonly #socket: WebSocket;
  #untaken = 0;
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get isFull(): boolean {
    return this.#untaken >= creditBytes;
  }

  /** Resolves when there is room to send, or the connection is closed. */
  async room(): Promise<void> {
    while (this.isFull && !this.#isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Sends data when there is room. */
  async data(id: number, data: unknown): Promise<void> {
    await this.room();
    this.now({ type: 'data', id, data });
  }

  /** Sends at once. */
  now(message: ServerMessage): void {
    if (this.#isClosed) return;
    const text = encodeServerMessage(message);
    this.#untaken += text.length;
    this.#socket.send(text);
    if (this.#untaken > mostUntaken) this.#socket.terminate();
  }

  /** Sends bytes at once. */
  bytes(id: number, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const message = encodeBytes(id, bytes);
    this.#untaken += message.length;
    this.#socket.send(message);
  }

  /** Notes that the page has taken so much more. */
  taken(amount: number): void {
    this.#untaken = Math.max(0, this.#untaken - amount);
    if (!this.isFull) this.#wake();
  }

  /** Sends nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

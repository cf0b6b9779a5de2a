import type { WebSocket } from 'ws';
import { creditBytes, encodeBytes, encodeServerMessage, type ServerMessage } from './protocol.ts';

/** A page that asks on and takes nothing of what it is answered is let go when so much waits for it: characters and bytes. */
const mostUntaken = 4 * 1024 ** 2;

/** What goes to one page, at its pace: nothing is sent while it has not taken what was sent before. */
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

  /** Resolves when something can be sent, or nothing ever will. */
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

  /** The page has taken so much more. */
  taken(amount: number): void {
    this.#untaken = Math.max(0, this.#untaken - amount);
    if (!this.isFull) this.#wake();
  }

  /** It sends nothing more. */
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

import type {
  JSONRPCMessage,
  MessageExtraInfo,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import type { Receipts } from './receipts.ts';
import type { TaskSubscriptions } from './task-subscriptions.ts';

/**
 * The transport, watched: it notes which requests come and which answers are written, for the receipts, and adds
 * to `subscriptions/listen` what the SDK does not know, tasks.
 */
export class StdioLink implements Transport {
  readonly #inner: Transport;
  readonly #receipts: Receipts;
  readonly #subscriptions: TaskSubscriptions;
  readonly #onClosed: (() => void)[] = [];
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];

  constructor(inner: Transport, receipts: Receipts, subscriptions: TaskSubscriptions) {
    this.#inner = inner;
    this.#receipts = receipts;
    this.#subscriptions = subscriptions;
  }

  /** Calls back when the connection is closed. */
  onClosed(listener: () => void): void {
    this.#onClosed.push(listener);
  }

  async start(): Promise<void> {
    this.#inner.onmessage = (message: JSONRPCMessage, extra?: MessageExtraInfo) => {
      this.#came(message);
      this.onmessage?.(message, extra);
    };
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onclose = () => {
      this.onclose?.();
      for (const listener of this.#onClosed) listener();
    };
    await this.#inner.start();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if ('method' in message) {
      const acknowledged = await this.#subscriptions.acknowledged(message);
      await this.#inner.send(acknowledged ?? message, options);
      if (acknowledged !== null) {
        const send = (notification: JSONRPCMessage): Promise<void> => this.#inner.send(notification);
        this.#subscriptions.begin(acknowledged, send).catch(() => undefined);
      }
      return;
    }
    try {
      await this.#inner.send(message, options);
    } catch (error) {
      this.#receipts.dropped(message.id);
      throw error;
    }
    this.#receipts.answered(message.id);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  #came(message: JSONRPCMessage): void {
    if (!('method' in message)) return;
    if ('id' in message) {
      if (message.method === 'subscriptions/listen') this.#subscriptions.requested(message);
      else this.#receipts.arrived(message.id, message.method === 'tools/call');
    } else if (message.method === 'notifications/cancelled') {
      const id: unknown = message.params?.requestId;
      this.#receipts.dropped(id);
      this.#subscriptions.cancelled(id);
    }
  }
}

import type {
  JSONRPCMessage,
  MessageExtraInfo,
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/server';
import { hearerIn } from '../tools/delivery/asker.ts';
import type { Receipts } from '../tools/delivery/receipts.ts';
import { send } from './report.ts';
import type { TaskSubscriptions } from './tasks/task-subscriptions.ts';

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
        const sendOn = (notification: JSONRPCMessage): Promise<void> => this.#inner.send(notification);
        send('serving a subscription', this.#subscriptions.begin(acknowledged, sendOn));
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
      else {
        if (message.method === 'initialize' && cancelsEach(message.params?.clientInfo))
          this.#receipts.cancelsEach();
        const isCall = message.method === 'tools/call';
        this.#receipts.arrived(message.id, isCall, hearerIn({ ...message.params?._meta }));
      }
    } else if (message.method === 'notifications/cancelled') {
      const id: unknown = message.params?.requestId;
      this.#receipts.dropped(id);
      this.#subscriptions.cancelled(id);
    }
  }
}

/** Clients that cancel each call when they have its answer, as was seen with the real ones. */
const cancelling: ReadonlySet<unknown> = new Set(['opencode']);

function cancelsEach(clientInfo: unknown): boolean {
  return cancelling.has((clientInfo as { readonly name?: unknown } | undefined)?.name);
}

import type { JSONRPCMessage, JSONRPCNotification, JSONRPCRequest } from '@modelcontextprotocol/server';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { Desk } from './desk.ts';
import type { MadeServer } from './make-server.ts';
import type { Peer } from './peer.ts';
import { taskAmong } from './serving.ts';
import { declaredIn, detailedTask } from './tasks-2026.ts';

const subscriptionKey = 'io.modelcontextprotocol/subscriptionId';

/** So many tasks one client may listen for. */
const mostTasks = 1_000;

interface Subscription {
  readonly request: JSONRPCRequest;
  readonly taskIds: readonly string[];
  readonly resources: readonly string[];
  readonly stop: AbortController;
}

/**
 * Tasks that a client of 2026-07-28 listens for. The SDK serves `subscriptions/listen` and drops the tasks from
 * it, so they are added to its acknowledgement here, and what happens to them is sent beside it.
 */
export class TaskSubscriptions {
  readonly #peer: Peer;
  readonly #made: () => MadeServer | null;
  readonly #proves: boolean;
  readonly #subscriptions = new Map<unknown, Subscription>();

  /** @param options.proves whether a later request shows that what was sent before it was received. */
  constructor(peer: Peer, made: () => MadeServer | null, options: { readonly proves: boolean }) {
    this.#peer = peer;
    this.#made = made;
    this.#proves = options.proves;
  }

  /** A client wants to listen. What it asks for counts when the SDK acknowledges the rest. */
  requested(request: JSONRPCRequest): void {
    const filter = fields(request.params?.notifications);
    const knowsTasks = declaredIn(fields(request.params?._meta));
    const taskIds = knowsTasks ? texts(filter.taskIds).slice(0, mostTasks) : [];
    const resources = texts(filter.resourceSubscriptions);
    const stop = new AbortController();
    this.#subscriptions.set(request.id, { request, taskIds: [...new Set(taskIds)], resources, stop });
  }

  /** A client has stopped listening. */
  cancelled(id: unknown): void {
    this.#subscriptions.get(id)?.stop.abort();
    this.#subscriptions.delete(id);
    this.#made()?.pushes?.resources.remove(id);
  }

  /** The SDK's acknowledgement with the tasks that are there, to be sent at once; null when the message is none. */
  async acknowledged(message: JSONRPCMessage): Promise<JSONRPCNotification | null> {
    if (!('method' in message) || message.method !== 'notifications/subscriptions/acknowledged') return null;
    const subscription = this.#subscriptions.get(subscriptionOf(message));
    if (subscription === undefined) return null;
    const honored: string[] = [];
    for (const taskId of subscription.taskIds) {
      if ((await this.#find(subscription, taskId)) !== null) honored.push(taskId);
    }
    this.#subscriptions.set(subscription.request.id, { ...subscription, taskIds: honored });
    // What changes once the client has the acknowledgement has changed since this look.
    for (const uri of subscription.resources)
      this.#made()?.pushes?.resources.add(uri, subscription.request.id);
    if (honored.length === 0) return { ...message };
    const notifications = { ...fields(message.params?.notifications), taskIds: honored };
    return { ...message, params: { ...message.params, notifications } };
  }

  /**
   * Sends what happens to the tasks from now on; what has ended already, at once.
   * @returns when all of them have ended, or nobody listens any more.
   */
  async begin(
    acknowledgement: JSONRPCNotification,
    send: (message: JSONRPCNotification) => Promise<void>,
  ): Promise<void> {
    const subscription = this.#subscriptions.get(subscriptionOf(acknowledgement));
    if (subscription === undefined) return;
    await Promise.allSettled(subscription.taskIds.map((taskId) => this.#follow(subscription, taskId, send)));
  }

  close(): void {
    for (const { stop } of this.#subscriptions.values()) stop.abort();
    this.#subscriptions.clear();
  }

  async #follow(
    subscription: Subscription,
    taskId: string,
    send: (message: JSONRPCNotification) => Promise<void>,
  ): Promise<void> {
    const found = await this.#find(subscription, taskId);
    if (found === null) return;
    const { desk } = found;
    const abortSignal = subscription.stop.signal;
    const snapshot = await desk.session.task(taskId).wait({ ack: false, abortSignal });
    if (!isEnded(snapshot.status) || abortSignal.aborted) return;
    this.#peer.handOver(taskId);
    const _meta = { [subscriptionKey]: subscription.request.id };
    const params = { ...(await detailedTask(desk, snapshot)), _meta };
    const message: JSONRPCNotification = { jsonrpc: '2.0', method: 'notifications/tasks', params };
    if (!this.#proves) return await send(message);
    const outcome = this.#peer.tell(desk, [taskId]);
    try {
      await send(message);
      this.#peer.receipts.wrote([outcome]);
    } catch {
      outcome.lost();
    }
  }

  async #find(
    { request }: Subscription,
    taskId: string,
  ): Promise<{ desk: Desk; snapshot: TaskSnapshot } | null> {
    const made = this.#made();
    return made === null ? null : await taskAmong(made.serving, fields(request.params?._meta), taskId);
  }
}

function subscriptionOf(message: JSONRPCNotification): unknown {
  return fields(message.params?._meta)[subscriptionKey];
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string') : [];
}

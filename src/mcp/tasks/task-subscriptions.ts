import type { JSONRPCMessage, JSONRPCNotification, JSONRPCRequest } from '@modelcontextprotocol/server';
import { isEnded } from '../../model/words.ts';
import type { Connection } from '../../tools/delivery/connection.ts';
import type { FoundTask } from '../../tools/delivery/find-task.ts';
import type { MadeServer } from '../make-server.ts';
import { report } from '../report.ts';
import { taskAmong } from '../request.ts';
import { parseUri } from '../resources/uris.ts';
import { declaredIn, detailedTask } from './tasks-2026.ts';

const subscriptionKey = 'io.modelcontextprotocol/subscriptionId';

/** How many tasks one client may subscribe to. */
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
  readonly #connection: Connection;
  readonly #made: () => MadeServer | null;
  readonly #proves: boolean;
  readonly #subscriptions = new Map<unknown, Subscription>();

  /** @param options.proves whether a later request shows that what was sent before it was received. */
  constructor(connection: Connection, made: () => MadeServer | null, options: { readonly proves: boolean }) {
    this.#connection = connection;
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
      if (await this.#isThere(subscription, taskId)) honored.push(taskId);
    }
    this.#subscriptions.set(subscription.request.id, { ...subscription, taskIds: honored });
    // What changes once the client has the acknowledgement has changed since this look.
    for (const uri of subscription.resources) {
      const taskId = parseUri(uri)?.taskId;
      // This opens the session of the client, so that what happens in it is told.
      if (taskId !== undefined) await this.#isThere(subscription, taskId);
      this.#made()?.pushes?.resources.add(uri, subscription.request.id);
    }
    if (honored.length === 0) return { ...message };
    const notifications = { ...fields(message.params?.notifications), taskIds: honored };
    return { ...message, params: { ...message.params, notifications } };
  }

  /**
   * Sends what happens to the tasks from now on; what has ended already, at once.
   * @returns when all of them have ended, or the client no longer listens.
   */
  async begin(
    acknowledgement: JSONRPCNotification,
    send: (message: JSONRPCNotification) => Promise<void>,
  ): Promise<void> {
    const subscription = this.#subscriptions.get(subscriptionOf(acknowledgement));
    if (subscription === undefined) return;
    const follow = (taskId: string): Promise<void> =>
      this.#follow(subscription, taskId, send).catch((error: unknown) => {
        if (error !== subscription.stop.signal.reason) report('following a task', error);
      });
    await Promise.all(subscription.taskIds.map(follow));
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
    const { request, clientSession } = found;
    const abortSignal = subscription.stop.signal;
    const snapshot = await clientSession.session.task(taskId).wait({ ack: false, abortSignal });
    if (!isEnded(snapshot.status) || abortSignal.aborted) return;
    this.#connection.handOver(taskId);
    const _meta = { [subscriptionKey]: subscription.request.id };
    const structured = this.#made()?.served.structured === true;
    const params = { ...(await detailedTask(clientSession, snapshot, structured)), _meta };
    const message: JSONRPCNotification = { jsonrpc: '2.0', method: 'notifications/tasks', params };
    const outcome = this.#proves ? this.#connection.tellBeside(request, taskId) : null;
    if (outcome === null) return await send(message);
    try {
      await send(message);
      this.#connection.receipts.wrote([outcome]);
    } catch (error) {
      outcome.lost();
      report('sending the end of a task', error, clientSession.session.id);
    }
  }

  /** A client that gets no acknowledgement would wait for ever: it learns that it does not listen for this task. */
  async #isThere(subscription: Subscription, taskId: string): Promise<boolean> {
    try {
      return (await this.#find(subscription, taskId)) !== null;
    } catch (error) {
      report('finding a task', error);
      return false;
    }
  }

  async #find({ request }: Subscription, taskId: string): Promise<FoundTask | null> {
    const made = this.#made();
    return made === null ? null : await taskAmong(made.served, fields(request.params?._meta), taskId);
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

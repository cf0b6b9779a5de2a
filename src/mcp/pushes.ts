import type { LoggingLevel, Server, ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { RemoteTask } from '../fleet/wire/operations.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { ClientSession } from '../tools/delivery/client-session.ts';
import type { Connection } from '../tools/delivery/connection.ts';
import type { RemoteDelivery } from '../tools/fleet/remote-delivery.ts';
import type { RemoteSession } from '../tools/fleet/remote-session.ts';
import { yieldToOthers } from '../util/wait.ts';
import { type LogMessage, logMessage, remoteLogMessage } from './log-ends.ts';
import { report, send } from './report.ts';
import { parseUri } from './resources/uris.ts';
import { ResourceWatch } from './resources/watch.ts';
import { task2025 } from './tasks/tasks-2025.ts';

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

/** For whom, and of what. */
interface Pushed {
  readonly connection: Connection;
  readonly remote: RemoteDelivery | null;
  readonly era: 'legacy' | 'modern';
}

/**
 * What is sent to a client that stays connected without its having asked just then: completions as log
 * messages, changes of resources, the ends of MCP tasks. None of it counts as a delivery, for a client need not
 * show it to its model.
 */
export class Pushes {
  readonly #connection: Connection;
  readonly #server: Server;
  readonly #isLegacy: boolean;
  readonly resources: ResourceWatch;
  readonly #tasks = new Set<string>();
  readonly #undo: (() => void)[] = [];
  /** From which level on the client wants log messages; null while it has not said so. */
  #logLevel: LoggingLevel | null = null;

  /** @param open opens the session of a request, so that what happens in it is told. */
  constructor(
    server: Server,
    { connection, remote, era }: Pushed,
    open: (ctx: ServerContext) => Promise<unknown>,
  ) {
    this.#server = server;
    this.#connection = connection;
    this.#isLegacy = era === 'legacy';
    this.resources = new ResourceWatch(
      (uri) => this.#stateOf(uri),
      (uri) => this.#send('notifications/resources/updated', { uri }),
    );
    connection.onDesk((clientSession) => this.#follow(clientSession));
    for (const clientSession of connection.clientSessions) this.#follow(clientSession);
    if (remote !== null) this.#followRemote(remote);
    if (this.#isLegacy) this.#serveSubscriptions(open);
  }

  /**
   * Sends the end of an MCP task of generation 1, once.
   * @param told the task as the client is told of it just now. It may have ended since: then that comes right after.
   */
  watchTask(clientSession: ClientSession, { taskId, status }: TaskSnapshot): void {
    if (!this.#isLegacy || this.#tasks.has(taskId) || isEnded(status)) return;
    this.#tasks.add(taskId);
    this.#sendEnd(clientSession, taskId)
      .catch((error: unknown) => report('waiting for a task', error, clientSession.session.id))
      .finally(() => this.#tasks.delete(taskId));
  }

  close(): void {
    this.resources.close();
    for (const undo of this.#undo) undo();
  }

  #follow(clientSession: ClientSession): void {
    this.resources.follow(clientSession);
    const ended = (completion: TaskSnapshot): void => {
      if (this.#connection.mayHearUnasked(clientSession, completion.taskId))
        this.#log(logMessage(completion));
    };
    this.#undo.push(clientSession.onCompletion(ended));
  }

  #followRemote(remote: RemoteDelivery): void {
    const follow = (session: RemoteSession): void => {
      const ended = (end: RemoteTask): void => {
        if (remote.mayHearUnasked(end)) this.#log(remoteLogMessage(end));
      };
      this.#undo.push(session.onEnd(ended));
    };
    this.#undo.push(remote.onSession(follow));
  }

  async #sendEnd({ session }: ClientSession, taskId: string): Promise<void> {
    const snapshot = await session.task(taskId).wait({ ack: false });
    // After the answer that is made just now: a client does not know the task before.
    await yieldToOthers();
    this.#send('notifications/tasks/status', task2025(snapshot));
  }

  #log({ level, data }: LogMessage): void {
    if (this.#logLevel === null || levels.indexOf(level) < levels.indexOf(this.#logLevel)) return;
    this.#send('notifications/message', { level, logger: 'outlive', data });
  }

  #stateOf(uri: string): string | null {
    const parsed = parseUri(uri);
    if (parsed === null) return null;
    for (const clientSession of this.#connection.clientSessions) {
      const snapshot = clientSession.snapshot(parsed.taskId);
      if (snapshot === null) continue;
      const { status, output } = snapshot;
      return parsed.isOutput
        ? `${output.bytes} ${isEnded(status)}`
        : `${status} ${snapshot.leftovers.length}`;
    }
    return null;
  }

  #serveSubscriptions(open: (ctx: ServerContext) => Promise<unknown>): void {
    const params = z.object({ uri: z.string() });
    this.#server.setRequestHandler('resources/subscribe', { params }, async ({ uri }, ctx) => {
      await open(ctx);
      this.resources.add(uri, 'client');
      return {};
    });
    this.#server.setRequestHandler('resources/unsubscribe', { params }, ({ uri }) => {
      this.resources.remove('client', uri);
      return {};
    });
    this.#server.setRequestHandler(
      'logging/setLevel',
      { params: z.object({ level: z.enum(levels) }) },
      (found) => {
        this.#logLevel = found.level;
        return {};
      },
    );
  }

  #send(method: string, params?: Record<string, unknown>): void {
    send(`sending ${method}`, this.#server.notification({ method, ...(params && { params }) }));
  }
}

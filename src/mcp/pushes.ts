import type { LoggingLevel, Server } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { Desk } from './desk.ts';
import { logMessage } from './log-ends.ts';
import type { Peer } from './peer.ts';
import { ResourceWatch } from './resource-watch.ts';
import { task2025 } from './tasks-2025.ts';
import { parseUri } from './uris.ts';

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

/**
 * What is sent to a client that stays connected without its having asked just then: completions as log
 * messages, changes of resources, the ends of MCP tasks. None of it counts as a delivery, for a client need not
 * show it to its model.
 */
export class Pushes {
  readonly #peer: Peer;
  readonly #server: Server;
  readonly #isLegacy: boolean;
  readonly resources: ResourceWatch;
  readonly #tasks = new Set<string>();
  readonly #undo: (() => void)[] = [];
  /** From which level on the client wants log messages; null while it has not said so. */
  #logLevel: LoggingLevel | null = null;

  constructor(server: Server, peer: Peer, era: 'legacy' | 'modern') {
    this.#server = server;
    this.#peer = peer;
    this.#isLegacy = era === 'legacy';
    this.resources = new ResourceWatch(
      (uri) => this.#stateOf(uri),
      (uri) => this.#send('notifications/resources/updated', { uri }),
    );
    peer.onDesk((desk) => this.#follow(desk));
    for (const desk of peer.desks) this.#follow(desk);
    if (this.#isLegacy) this.#serveSubscriptions();
  }

  /** Sends the end of an MCP task of generation 1, once. */
  watchTask(desk: Desk, taskId: string): void {
    const known = desk.snapshot(taskId);
    if (!this.#isLegacy || this.#tasks.has(taskId) || known === null || isEnded(known.status)) return;
    this.#tasks.add(taskId);
    desk.session
      .task(taskId)
      .wait({ ack: false })
      .then(
        (snapshot) => this.#send('notifications/tasks/status', task2025(snapshot)),
        () => undefined,
      )
      .finally(() => this.#tasks.delete(taskId));
  }

  close(): void {
    this.resources.close();
    for (const undo of this.#undo) undo();
  }

  #follow(desk: Desk): void {
    this.#undo.push(
      desk.onCompletion((completion) => this.#ended(completion)),
      desk.onSpawn(() => this.#send('notifications/resources/list_changed')),
    );
  }

  #ended(completion: TaskSnapshot): void {
    this.resources.look();
    const { level, data } = logMessage(completion);
    if (this.#logLevel === null || levels.indexOf(level) < levels.indexOf(this.#logLevel)) return;
    this.#send('notifications/message', { level, logger: 'outlive', data });
  }

  #stateOf(uri: string): string | null {
    const parsed = parseUri(uri);
    if (parsed === null) return null;
    for (const desk of this.#peer.desks) {
      const snapshot = desk.snapshot(parsed.taskId);
      if (snapshot === null) continue;
      const { status, output } = snapshot;
      return parsed.isOutput
        ? `${output.bytes} ${isEnded(status)}`
        : `${status} ${snapshot.leftovers.length}`;
    }
    return null;
  }

  #serveSubscriptions(): void {
    const params = z.object({ uri: z.string() });
    this.#server.setRequestHandler('resources/subscribe', { params }, ({ uri }) => {
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
    this.#server.notification({ method, ...(params && { params }) }).catch(() => undefined);
  }
}

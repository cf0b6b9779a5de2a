import type { RawData, WebSocket } from 'ws';
import type { Store } from '../api/store.ts';
import { OutliveError, openedToRead, taskNotFound } from '../errors/error.ts';
import { warn } from '../errors/warnings.ts';
import { isFleetReference } from '../model/fleet-reference.ts';
import { act, failureOf } from './actions.ts';
import type { Door } from './door.ts';
import { linesAt, linesOf } from './log-lines.ts';
import { Outgoing } from './outgoing.ts';
import {
  type ActData,
  decodePageMessage,
  type Failure,
  mostChannels,
  type PageMessage,
  protocolVersion,
  type Request,
} from './protocol.ts';
import { merged, type RemoteFeed } from './remote-feed.ts';
import { type RemoteTasks, requestThere } from './remote-tasks.ts';
import { search } from './search.ts';
import { taskData } from './task-data.ts';
import type { TasksFeed } from './tasks-feed.ts';
import { TerminalView } from './terminal-view.ts';

/** What pages are shown, and whether they may act. */
export interface Served {
  readonly store: Store;
  readonly door: Door;
  readonly feed: TasksFeed;
  readonly readOnly: boolean;
  /** The tasks on other hosts; null: this machine is not a client of a fleet. */
  readonly remote: { readonly feed: RemoteFeed; readonly tasks: RemoteTasks } | null;
}

interface Channel {
  readonly abort: AbortController;
  terminal?: TerminalView;
}

/** The code with which a WebSocket closes after a message that no page of this version sends. */
const protocolError = 1002;

/** One page: its WebSocket, and the channels that it has opened. */
export class PageConnection {
  readonly #socket: WebSocket;
  readonly #served: Served;
  readonly #outgoing: Outgoing;
  readonly #channels = new Map<number, Channel>();

  constructor(socket: WebSocket, served: Served) {
    this.#socket = socket;
    this.#served = served;
    this.#outgoing = new Outgoing(socket);
    socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    socket.once('close', () => this.#close());
    const { store, readOnly } = served;
    this.#outgoing.now({ type: 'hello', version: protocolVersion, readOnly, store: store.dir });
  }

  #take(data: RawData, isBinary: boolean): void {
    const message = isBinary ? null : decodePageMessage(String(data));
    if (message === null) this.#socket.close(protocolError, 'expected a message of this protocol');
    else if (message.type === 'credit') this.#outgoing.taken(message.amount);
    else if (message.type === 'open') this.#open(message);
    else {
      // The channel may have ended meanwhile.
      const channel = this.#channels.get(message.id);
      if (message.type === 'close') channel?.abort.abort();
      else if (message.type === 'input') channel?.terminal?.type(message.text);
      else channel?.terminal?.resize({ cols: message.cols, rows: message.rows });
    }
  }

  #open({ id, request }: Extract<PageMessage, { type: 'open' }>): void {
    if (this.#channels.has(id) || this.#channels.size >= mostChannels) {
      this.#socket.close(
        protocolError,
        `expected at most ${mostChannels} channels, each with its own number`,
      );
      return;
    }
    const channel: Channel = { abort: new AbortController() };
    this.#channels.set(id, channel);
    void this.#serve(id, request, channel).then((error) => {
      this.#channels.delete(id);
      // Other work for the channel ends with it.
      channel.abort.abort();
      this.#outgoing.now({ type: 'end', id, error });
    });
  }

  async #serve(id: number, request: Request, channel: Channel): Promise<Failure | null> {
    const { signal } = channel.abort;
    try {
      if (request.kind === 'terminal') await this.#showTerminal(id, request, channel);
      else
        for await (const data of this.#answers(request, signal)) {
          await this.#outgoing.data(id, data);
          if (signal.aborted) break;
        }
      return null;
    } catch (error) {
      if (signal.aborted) return null;
      return this.#failure(request.kind, error);
    }
  }

  #failure(kind: string, error: unknown): Failure {
    try {
      return failureOf(error);
    } catch (mistake) {
      warn({ doing: `serving ${kind} to a page`, error: mistake, dir: this.#served.store.dir });
      return { code: 'INTERNAL', message: 'the server has failed' };
    }
  }

  async *#answers(
    request: Exclude<Request, { kind: 'terminal' }>,
    abortSignal: AbortSignal,
  ): AsyncGenerator<unknown, void, undefined> {
    const { store, door, feed, remote } = this.#served;
    const there = requestThere(request);
    if (there !== null) return yield* this.#remote(there).answers(there, abortSignal);
    switch (request.kind) {
      case 'tasks':
        if (remote === null) return yield* feed.tasks(request.usage, abortSignal);
        return yield* merged(feed.tasks(request.usage, abortSignal), remote.feed.tasks(abortSignal));
      case 'act':
        this.#mayAct();
        return yield* this.#act(request, abortSignal);
      case 'task': {
        const { sessionId } = store.task(request.taskId);
        return yield taskData(await store.inspect(request.taskId, { sessionId }));
      }
      case 'screen':
        return yield { lines: (await store.task(request.taskId).screen()).lines };
      case 'download':
        store.task(request.taskId);
        return yield { path: `/download/${door.newDownload(request)}` };
      case 'search':
        return yield* search(store.task(request.taskId), request, abortSignal);
      case 'lines': {
        const { taskId, stream, where, offset } = request;
        return yield await linesAt(store.task(taskId), stream, where, offset);
      }
      case 'follow': {
        const { taskId, stream, offset } = request;
        for await (const chunk of store.task(taskId).follow({ stream, offset, abortSignal }))
          yield linesOf(chunk);
        return;
      }
      default:
        request satisfies never;
    }
  }

  /** @throws OutliveError `TASK_NOT_FOUND` if this machine is not a client of a fleet. */
  #remote({ taskId }: { readonly taskId: string }): RemoteTasks {
    const { remote } = this.#served;
    if (remote === null) throw taskNotFound(null, taskId);
    return remote.tasks;
  }

  async *#act(
    { action, taskIds }: Extract<Request, { kind: 'act' }>,
    abortSignal: AbortSignal,
  ): AsyncGenerator<ActData, void, undefined> {
    const here = taskIds.filter((taskId) => !isFleetReference(taskId));
    yield* act(this.#served.store, action, here, abortSignal);
    for (const taskId of new Set(taskIds.filter(isFleetReference))) {
      if (abortSignal.aborted) return;
      yield await this.#remote({ taskId }).act(action, taskId);
      this.#served.remote?.feed.look();
    }
  }

  async #showTerminal(
    id: number,
    { taskId, cols, rows, readOnly }: Extract<Request, { kind: 'terminal' }>,
    channel: Channel,
  ): Promise<void> {
    const { signal } = channel.abort;
    const send = async (bytes: Uint8Array): Promise<void> => {
      await this.#outgoing.room();
      if (!signal.aborted) this.#outgoing.bytes(id, bytes);
    };
    channel.terminal = new TerminalView(this.#served.store.task(taskId), {
      size: { cols, rows },
      readOnly: readOnly || this.#served.readOnly,
      send,
    });
    await channel.terminal.show(signal);
  }

  #mayAct(): void {
    if (this.#served.readOnly)
      throw new OutliveError(
        'STORE_UNWRITABLE',
        'expected a dashboard that may act; found one with --read-only.',
        {
          cause: openedToRead(),
        },
      );
  }

  #close(): void {
    this.#outgoing.close();
    for (const { abort } of this.#channels.values()) abort.abort();
  }
}

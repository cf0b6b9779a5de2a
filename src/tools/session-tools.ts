import { resolve } from 'node:path';
import { contextOf, type Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { closed, OutliveError } from '../errors/error.ts';
import { absolutePath, currentFolderOrNull } from '../platform/current-folder.ts';
import { firstOf } from '../util/abort.ts';
import { allTools } from './all-tools.ts';
import type { ToolAnnotations } from './annotations.ts';
import { failure, sayRiders } from './answer.ts';
import { callTool } from './call-tool.ts';
import { ClientSessions } from './delivery/client-sessions.ts';
import { Connection, type Request } from './delivery/connection.ts';
import { requestAbout } from './delivery/find-task.ts';
import { isOfHearers } from './delivery/line-hearers.ts';
import { instructions } from './instructions.ts';
import { sayUnasked } from './text/say-ends.ts';
import { jsonSchema } from './text/schemas.ts';
import { type Told, toldOf } from './told.ts';
import type { Tool, ToolAnswer } from './tool.ts';

/** How the tools of a session are made. */
export interface SessionToolsOptions {
  /** The folder in which the agent works: commands run there, and `tasks` names what others left running there. @default that of the process */
  readonly cwd?: string;
}

const optionNames: OptionNames<SessionToolsOptions> = { cwd: true };

/** How a tool is called. */
export interface ToolCallOptions {
  /** Gives up waiting; what was started goes on. */
  readonly abortSignal?: AbortSignal;
}

/** A tool as an agent hands it to its model. */
export interface SessionTool {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** For the model. */
  readonly description: string;
  /** The JSON Schema of the arguments: an object, without further properties. */
  readonly inputSchema: Readonly<Record<string, unknown>> & { readonly type: 'object' };
  /** What a call may do, as MCP defines it. */
  readonly annotations: ToolAnnotations;
  /** Whether the model should see it from the start, where models can search for tools. */
  readonly isAlwaysLoaded: boolean;
  /**
   * Calls the tool. Arguments that it does not know are refused by name. If outlive refuses the call, or fails, the
   * answer has `isError`, so that the model can correct it. A command that fails is no such error.
   * @param args as the model has written them.
   */
  call(args: unknown, options?: ToolCallOptions): Promise<Told>;
}

const callOptionNames: OptionNames<ToolCallOptions> = { abortSignal: true };

/** How often it checks whether the holder of a claim has died, while another client is telling an end. */
const againMs = 5_000;

/**
 * The tools of one conversation, and its news: see {@link sessionTools}.
 */
export class SessionTools implements Disposable {
  /** What a model reads about all tools together: for the system prompt. */
  readonly instructions: string = instructions;
  /** Every tool, in the order in which models read them. */
  readonly list: readonly SessionTool[];
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #cwd: string | null;
  /** The folder that the caller has named. */
  readonly #given: string | null;
  readonly #undo: (() => void)[] = [];
  readonly #changes = new Set<() => void>();
  #calls = 0;
  #isClosed = false;

  /** For {@link sessionTools} only. */
  constructor(store: Store, session: Session, cwd: string | undefined) {
    this.#session = session;
    this.#given = cwd === undefined ? null : absolutePath(cwd);
    this.#cwd = this.#given ?? currentFolderOrNull();
    this.#connection = new Connection(new ClientSessions(store), 'pipe', process.pid, undefined, session.id);
    this.#connection.onDesk((clientSession) =>
      this.#undo.push(clientSession.onCompletion(() => this.#changed())),
    );
    this.list = allTools.map((tool) => this.#asSessionTool(tool));
  }

  /** For {@link sessionTools} only: learns what is pending. */
  async open(): Promise<this> {
    const { clientSession } = await this.#request();
    if (clientSession.session === this.#session) return this;
    throw new OutliveError(
      'INVALID_ARGUMENT',
      'expected a session of the store; found one of another store.',
    );
  }

  /**
   * What the conversation has not been told yet: ends of tasks, and lines that it watches for. Null if there is
   * nothing, or while a tool call is in progress: its answer will tell it. It counts as told until it is acknowledged
   * or given back.
   */
  async pending(): Promise<Told | null> {
    if (this.#isClosed || this.#calls > 0) return null;
    const request = await this.#request();
    if (this.#isClosed || this.#calls > 0) return null;
    const { texts, outcomes, ends } = this.#riders(request, []);
    return texts.length === 0
      ? null
      : toldOf({ text: sayUnasked(texts), ends }, outcomes, () => this.#changed());
  }

  /**
   * Resolves when there is something to tell, and no tool call is in progress whose answer would tell it.
   * @returns false if the signal is aborted, or the tools or the session are closed.
   */
  async arrived(options: ToolCallOptions = {}): Promise<boolean> {
    const { abortSignal } = checkOptions('tools.arrived()', options, callOptionNames);
    while (!this.#isOver && abortSignal?.aborted !== true) {
      const change = this.#change(abortSignal);
      if (await this.#isPending().catch(falseIfClosed)) {
        change.cancel();
        return true;
      }
      await change.promise;
    }
    return false;
  }

  /**
   * The news for the conversation, as it comes: for an agent that can be woken. Ends when the signal is aborted, or the
   * tools or the session are closed.
   */
  async *deliveries(options: ToolCallOptions = {}): AsyncGenerator<Told, void, undefined> {
    while (await this.arrived(options)) {
      const told = await this.pending();
      if (told !== null) yield told;
    }
  }

  /**
   * Stops telling, and gives back what was not acknowledged. Call it before you close the session or the store;
   * otherwise other clients hear of these ends only when this process has ended. The session stays open, and tasks
   * continue.
   */
  close(): void {
    if (this.#isOver) return;
    this.#isClosed = true;
    for (const undo of this.#undo) undo();
    this.#connection.close();
    this.#changed();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #asSessionTool(tool: Tool): SessionTool {
    const { name, title, description, annotations } = tool;
    return {
      ...{ name, title, description, annotations },
      inputSchema: jsonSchema(tool.input),
      isAlwaysLoaded: tool.isAlwaysLoaded === true,
      call: async (args, options = {}) => await this.#call(tool, args, options),
    };
  }

  async #call(tool: Tool, args: unknown, options: ToolCallOptions): Promise<Told> {
    const { abortSignal = new AbortController().signal } = checkOptions(
      'tool.call()',
      options,
      callOptionNames,
    );
    if (this.#isClosed) throw new OutliveError('CLOSED', 'expected tools that are open; found them closed.');
    if (contextOf(this.#session).closed) throw closed('session');
    this.#calls += 1;
    try {
      const request = await this.#request();
      const answer = await this.#answer(tool, args, request, abortSignal);
      const { texts, outcomes, ends } = this.#riders(request, answer.tells);
      const isError = answer.isError === true;
      const text = [answer.text, ...texts].join('\n\n');
      return toldOf({ text, ends, isError }, outcomes, () => this.#changed());
    } finally {
      this.#calls -= 1;
      this.#changed();
    }
  }

  async #answer(tool: Tool, args: unknown, request: Request, abortSignal: AbortSignal): Promise<ToolAnswer> {
    try {
      this.#connection.called(request);
      const read = tool.read(args);
      const caller = {
        ...{ connection: this.#connection, cwd: this.#cwd, bindTo: { pid: process.pid }, remote: null },
        request: await requestAbout(this.#connection, request, tool.name, read),
        ...{ abortSignal, atOnce: false, follows: () => undefined },
      };
      return await callTool(tool, this.#placed(tool, read), caller);
    } catch (error) {
      return failure(error);
    }
  }

  /** The arguments of `run`, with the folder that the caller has named for the agent. */
  #placed(tool: Tool, args: unknown): unknown {
    if (this.#given === null || tool.name !== 'run' || typeof args !== 'object' || args === null) return args;
    const said = 'cwd' in args ? args.cwd : undefined;
    if (said !== undefined && typeof said !== 'string') return args;
    return { ...args, cwd: resolve(this.#given, said ?? '.') };
  }

  #riders(request: Request, tells: readonly string[]) {
    const { outcomes, ...riding } = this.#connection.ride(request, tells);
    const lines = request.clientSession.watchedLines.ride(isOfHearers);
    return {
      texts: sayRiders({ ...riding, lines }),
      outcomes: lines.outcome === null ? outcomes : [...outcomes, lines.outcome],
      ends: [...tells, ...riding.found.map(({ taskId }) => taskId)],
    };
  }

  async #isPending(): Promise<boolean> {
    if (this.#calls > 0) return false;
    const request = await this.#request();
    if (this.#calls > 0) return false;
    const { clientSession } = request;
    const untold = (taskId: string): boolean =>
      this.#connection.untold(request, taskId) && this.#connection.take(request, taskId);
    return (
      clientSession.watchedLines.isWaiting(isOfHearers) || clientSession.pending(untold, 1).found.length > 0
    );
  }

  async #request(): Promise<Request> {
    if (contextOf(this.#session).closed) throw closed('session');
    const clientSession = await this.#connection.open(this.#session.id);
    const client = this.#connection.clientOf(clientSession);
    return { clientSession, party: null, caller: null, client, hearer: null };
  }

  /** The next change after which there may be something to tell. */
  #change(abortSignal: AbortSignal | undefined): { readonly promise: Promise<void>; cancel(): void } {
    const stop = new AbortController();
    const promise = new Promise<void>((resolve) => {
      const over = (): void => {
        this.#changes.delete(over);
        clearTimeout(timer);
        abortSignal?.removeEventListener('abort', over);
        stop.abort();
        resolve();
      };
      const timer = setTimeout(over, againMs);
      this.#changes.add(over);
      abortSignal?.addEventListener('abort', over);
      stop.signal.addEventListener('abort', over);
      if (abortSignal?.aborted === true) over();
    });
    const ends = firstOf(stop.signal);
    for (const { watchedLines } of this.#connection.clientSessions)
      watchedLines.arrived(null, ends, isOfHearers).then(
        () => stop.abort(),
        () => undefined,
      );
    return { promise, cancel: () => stop.abort() };
  }

  #changed(): void {
    for (const listener of [...this.#changes]) listener();
  }

  get #isOver(): boolean {
    return this.#isClosed || contextOf(this.#session).closed;
  }
}

function falseIfClosed(error: unknown): false {
  if (error instanceof OutliveError && error.code === 'CLOSED') return false;
  throw error;
}

/**
 * The tools with which a model runs commands that outlive it, and the news of their ends. It is what the MCP server
 * offers, for an agent that is built on the library. The session is the conversation: the ends of all its tasks are
 * told, also of tasks that another program started.
 * @param session a session of the store; it stays open when the tools are closed.
 * @throws OutliveError `INVALID_ARGUMENT`, `CLOSED`.
 */
export async function sessionTools(
  store: Store,
  session: Session,
  options: SessionToolsOptions = {},
): Promise<SessionTools> {
  const { cwd } = checkOptions('sessionTools()', options, optionNames);
  return await new SessionTools(store, session, cwd).open();
}

import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { mcpEnvironment } from './mcp-env.ts';
import { fixturePath, type World, waitFor } from './world.ts';

/** One message of the protocol, as it is on the wire. */
export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** How to start a server, and what its client says of itself. */
export interface ProcessOptions {
  readonly generation?: 1 | 2;
  readonly session?: string;
  readonly clientName?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The store; else the world's. */
  readonly dir?: string;
  /** What runs in the place of mcp-server.mjs: options of node, and the program. */
  readonly program?: readonly string[];
  /** A command in front of node, such as `unshare`. */
  readonly before?: readonly string[];
  /** `false`: answers are text alone, as agents have them. */
  readonly structured?: boolean;
  /** Whether the client knows MCP tasks of generation 2. */
  readonly tasks?: boolean;
}

const tasksExtension = 'io.modelcontextprotocol/tasks';

/** A real server process, and a client that writes each line itself, so that a test decides what is said when. */
export class McpProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #dir: string;
  readonly #options: ProcessOptions;
  readonly #exited: Promise<unknown>;
  readonly #answers = new Map<unknown, (message: Message) => void>();
  readonly notifications: Message[] = [];
  /** Every line of the server's stdout. */
  readonly lines: string[] = [];
  stderr = '';
  #next = 0;

  private constructor(child: ChildProcessWithoutNullStreams, dir: string, options: ProcessOptions) {
    this.#child = child;
    this.#dir = dir;
    this.#options = options;
    this.#exited = once(child, 'exit');
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (data) => {
      this.stderr += data;
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#came(line));
  }

  /** Starts a server on a world's store; of generation 1 the handshake is done. */
  static async start(world: World, options: ProcessOptions = {}): Promise<McpProcess> {
    const { session, env, cwd = world.base, clientName = 'test', dir = world.dir } = options;
    const program = options.program ?? [fixturePath('mcp-server.mjs')];
    const args = [...program, dir, ...(session === undefined ? [] : [session])];
    const [command = '', ...rest] = [...(options.before ?? []), process.execPath, ...args];
    const text = options.structured === false ? { TEST_MCP_TEXT: '1' } : {};
    const child = spawn(command, rest, { env: mcpEnvironment({ ...env, ...text }), cwd });
    const server = new McpProcess(child, dir, options);
    if (options.generation !== 1) return server;
    const clientInfo = { name: clientName, version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    await server.request('initialize', params);
    server.notify('notifications/initialized');
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** When it has ended, however that came: the signal that ended it. */
  async ended(): Promise<string | null> {
    await this.#exited;
    return this.#child.signalCode;
  }

  /** Sends a request and gives what it answers, a result or an error. */
  async ask(method: string, params: Record<string, unknown> = {}): Promise<Message> {
    return await this.send(method, params).answer;
  }

  /** Sends a request and gives the result; an error fails the test. */
  async request(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const { result, error } = await this.ask(method, params);
    assert.ok(result, `${method}: ${JSON.stringify(error)}`);
    return result;
  }

  /** Calls a tool. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<ToolResult> {
    return (await this.request('tools/call', { name, arguments: args })) as unknown as ToolResult;
  }

  /** Sends a request without waiting for the answer. */
  send(method: string, params: Record<string, unknown> = {}): { id: number; answer: Promise<Message> } {
    this.#next += 1;
    const id = this.#next;
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    this.write({ jsonrpc: '2.0', id, method, params: { ...params, ...this.#envelope(params) } });
    return { id, answer };
  }

  notify(method: string, params: Record<string, unknown> = {}): void {
    this.write({ jsonrpc: '2.0', method, params: { ...params, ...this.#envelope(params) } });
  }

  /** Writes a line, whatever it is. */
  write(message: unknown): void {
    const line = typeof message === 'string' ? message : JSON.stringify(message);
    this.#child.stdin.write(`${line}\n`);
  }

  /** Waits for a notification, also one that has come already. */
  async notified(method: string, where: (params: Record<string, unknown>) => boolean = () => true) {
    const find = (): Message | undefined =>
      this.notifications.find((found) => found.method === method && where(found.params ?? {}));
    await waitFor(() => find() !== undefined, `${method}; came: ${JSON.stringify(this.notifications)}`);
    return find()?.params ?? {};
  }

  /** Ends it as a crash would, and waits until it is gone. */
  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Closes its stdin, and gives its exit code when it has ended. */
  async close(): Promise<number | null> {
    this.#child.stdin.end();
    await this.#exited;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.close();
    clearTimeout(force);
  }

  #envelope(params: Record<string, unknown>): Record<string, unknown> {
    if (this.#options.generation === 1) return {};
    const { clientName = 'test', tasks = false } = this.#options;
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: clientName, version: '1' },
      'io.modelcontextprotocol/clientCapabilities': tasks ? { extensions: { [tasksExtension]: {} } } : {},
    };
    return { _meta: { ...meta, ...(params._meta as object | undefined) } };
  }

  #came(line: string): void {
    this.lines.push(line);
    const message = JSON.parse(line) as Message;
    if (message.method !== undefined) this.notifications.push(message);
    else this.#answers.get(message.id)?.(message);
  }
}

/** What a tool call gives, with the fields that tests look at. */
export interface ToolResult {
  readonly content: readonly { readonly type: string; readonly text: string }[];
  readonly isError?: boolean;
  readonly structuredContent: {
    readonly task: { readonly taskId: string; readonly status: string; readonly exitCode: number | null };
    readonly output: {
      readonly text: string;
      readonly offset: number;
      readonly nextOffset: number;
      readonly omittedBytes: number;
      readonly beginsAt: number;
      readonly path: string;
      readonly bytes: number;
    };
    readonly match?: { readonly line: string; readonly nextOffset: number };
    readonly completions?: readonly { readonly taskId: string; readonly exitCode: number | null }[];
    readonly moreCompletions?: number;
    readonly [key: string]: unknown;
  };
}

/** The ids of the completions that ride on an answer. */
export function ridersOf(result: ToolResult): string[] {
  return (result.structuredContent.completions ?? []).map(({ taskId }) => taskId);
}

/** Calls a tool until an answer carries completions. Another process may see an end a moment before the server. */
export async function answerThatTells(server: McpProcess): Promise<ToolResult> {
  let answer = await server.call('tasks');
  await waitFor(async () => {
    if (ridersOf(answer).length > 0) return true;
    answer = await server.call('tasks');
    return false;
  }, 'an answer that tells of an end');
  return answer;
}

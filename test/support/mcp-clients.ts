import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createTaskSessionFromClient, type TaskEnabledSession } from '@modelcontextprotocol/ext-tasks/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { mcpEnvironment } from './mcp-env.ts';
import { installedCommand } from './packed.ts';
import { isLive, type World, waitFor } from './world.ts';

const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
const clientInfo = { name: 'test', version: '1' };
const protocolVersion = '2026-07-28';

/** The client of the SDK, version 2, and the tasks of ext-tasks over it, connected to a server process. */
export class Modern implements AsyncDisposable {
  readonly client: ModernClient;
  readonly tasks: TaskEnabledSession;
  readonly #transport: RawTransport;

  private constructor(client: ModernClient, transport: RawTransport) {
    this.client = client;
    this.#transport = transport;
    this.tasks = createTaskSessionFromClient(client, {
      endpointId: 'outlive',
      rawDispatch: async (request) => await transport.dispatch(request as object),
      v2RequestFraming: { protocolVersion, clientInfo, clientCapabilities: capabilities },
    });
  }

  static async start(world: World, session = 's'): Promise<Modern> {
    const transport = new RawTransport(serverCommand(world, session, ['--structured']));
    const client = new ModernClient(clientInfo, { capabilities, versionNegotiation: { mode: 'auto' } });
    await client.connect(transport as Parameters<ModernClient['connect']>[0]);
    return new Modern(client, transport);
  }

  /** Kills the server as a crash would. */
  async crash(): Promise<void> {
    await crash(this.#transport.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tasks.close();
    await this.client.close();
  }
}

/** The client of the SDK, version 1, connected to a server process. */
export class Legacy implements AsyncDisposable {
  readonly client: LegacyClient;
  readonly #transport: LegacyTransport;

  private constructor(client: LegacyClient, transport: LegacyTransport) {
    this.client = client;
    this.#transport = transport;
  }

  static async start(world: World, session = 's'): Promise<Legacy> {
    const transport = new LegacyTransport(serverCommand(world, session));
    const client = new LegacyClient(clientInfo, { capabilities: {} });
    // The SDK's own types disagree about optional members that may be undefined.
    await client.connect(transport as Parameters<LegacyClient['connect']>[0]);
    return new Legacy(client, transport);
  }

  /** Kills the server as a crash would. */
  async crash(): Promise<void> {
    await crash(this.#transport.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

/** How clients start a server: the installed program, as their users have it. */
export function serverCommand(world: World, session: string, more: readonly string[] = []) {
  const args = ['mcp', '--store', world.dir, '--session', session, ...more];
  return { command: installedCommand(), args, env: mcpEnvironment(), cwd: world.base };
}

async function crash(pid: number | null): Promise<void> {
  if (pid === null) throw new Error('the server is gone already');
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isLive(pid), 'the server to be gone');
}

type Dispatched = Awaited<
  ReturnType<NonNullable<Parameters<typeof createTaskSessionFromClient>[1]['rawDispatch']>>
>;

/** The transport with a way past the client: ext-tasks frames the requests of tasks itself. */
class RawTransport {
  readonly #inner: StdioClientTransport;
  readonly #pending = new Map<unknown, (answer: Dispatched) => void>();
  #next = 0;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: StdioClientTransport['onmessage'];

  constructor(parameters: ConstructorParameters<typeof StdioClientTransport>[0]) {
    this.#inner = new StdioClientTransport(parameters);
  }

  get pid(): number | null {
    return this.#inner.pid;
  }

  async start(): Promise<void> {
    this.#inner.onclose = () => this.onclose?.();
    this.#inner.onerror = (error) => this.onerror?.(error);
    this.#inner.onmessage = (message) => {
      const settle = 'id' in message ? this.#pending.get(message.id) : undefined;
      if (settle === undefined) this.onmessage?.(message);
      else if ('result' in message) settle({ kind: 'result', result: message.result as never });
      else if ('error' in message) settle({ kind: 'error', error: message.error as never });
    };
    await this.#inner.start();
  }

  async send(message: Parameters<StdioClientTransport['send']>[0]): Promise<void> {
    await this.#inner.send(message);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  async dispatch(request: object): Promise<Dispatched> {
    this.#next += 1;
    const id = `raw-${this.#next}`;
    const answer = new Promise<Dispatched>((resolve) => this.#pending.set(id, resolve));
    await this.send({ jsonrpc: '2.0', id, ...request } as never);
    return await answer;
  }
}

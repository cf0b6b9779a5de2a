import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openStore } from '../src/index.ts';
import { runStdioServer } from '../src/mcp/index.ts';
import { must } from './measure.ts';

/** Runs in a helper process: the MCP server on its stdio. */
export async function serveMcp([dir]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  await runStdioServer({ store, session: 'bench', structured: true });
  await store.close();
}

/** The protocol's messages, as far as they are looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** A client that adds nothing to the time: it writes lines and hands over what comes. */
export class McpClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #generation: 1 | 2;
  readonly #answers = new Map<unknown, (result: Fields) => void>();
  readonly #awaited = new Map<string, (params: Fields) => void>();
  #next = 0;

  private constructor(dir: string, generation: 1 | 2) {
    const program = String(process.argv[1]);
    this.#generation = generation;
    this.#child = spawn(process.execPath, [program, '--helper', 'mcp', dir]);
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#came(JSON.parse(line)));
    this.#child.stderr.pipe(process.stderr);
  }

  static async start(dir: string, generation: 1 | 2): Promise<McpClient> {
    const client = new McpClient(dir, generation);
    const clientInfo = { name: 'bench', version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    if (generation === 1) await client.request('initialize', params);
    await client.call('tasks', {});
    return client;
  }

  /** Sends a request; resolves with its result. */
  request(method: string, params: Fields): Promise<Fields> {
    this.#next += 1;
    const id = this.#next;
    const answer = new Promise<Fields>((resolve) => this.#answers.set(id, resolve));
    const message = { jsonrpc: '2.0', id, method, params: { ...params, ...this.#envelope() } };
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
    return must(`the answer to ${method}`, answer);
  }

  /** Calls a tool. */
  async call(name: string, args: Fields, more: Fields = {}): Promise<Fields> {
    return await this.request('tools/call', { name, arguments: args, ...more });
  }

  /** The next notification of that method. */
  notified(method: string): Promise<Fields> {
    return must(method, new Promise<Fields>((resolve) => this.#awaited.set(method, resolve)));
  }

  async close(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exit;
  }

  #envelope(): Fields {
    if (this.#generation === 1) return {};
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
    };
    return { _meta };
  }

  #came(message: { id?: unknown; method?: string; params?: Fields; result?: Fields; error?: Fields }): void {
    if (message.error !== undefined) throw new Error(JSON.stringify(message.error));
    if (message.method === undefined) this.#answers.get(message.id)?.(message.result ?? {});
    else this.#awaited.get(message.method)?.(message.params ?? {});
  }
}

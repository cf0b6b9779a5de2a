import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import {
  type AgentConnection,
  type AgentContext,
  agent,
  client,
  ndJsonStream,
} from '@agentclientprotocol/sdk';
import { serveTerminals } from '../../src/acp/index.ts';
import type { Terminals, TerminalsOptions } from '../../src/acp/terminals.ts';
import { mcpEnvironment } from './mcp-env.ts';
import { installedPackage } from './packed.ts';
import { onWindows } from './processes.ts';
import { fixturePath, type World } from './world.ts';

/** An agent of ACP 1, connected to an editor in this process. */
export class Paired implements Disposable {
  readonly terminals: Terminals;
  readonly #connection: AgentConnection;

  constructor(options: TerminalsOptions) {
    const editor = client();
    this.terminals = serveTerminals(editor, options);
    this.#connection = agent().connect(editor);
  }

  /** What the agent asks the editor with. */
  get editor(): AgentContext {
    return this.#connection.client;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** An agent of ACP 1, connected to an editor in a process of its own, which has the packed package. */
export class EditorProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #dir: string;
  readonly #exited: Promise<unknown>;
  readonly #connection: AgentConnection;

  constructor(world: World) {
    // On Windows, where the tests have no npm, that of the repository, whose package is its own.
    const program = onWindows ? fixturePath('acp-editor.mjs') : join(installedPackage(), 'acp-editor.mjs');
    const args = [program, world.dir];
    this.#child = spawn(process.execPath, args, { env: mcpEnvironment() });
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.pipe(process.stderr);
    this.#dir = world.dir;
    this.#exited = once(this.#child, 'exit');
    const input = Readable.toWeb(this.#child.stdout) as ReadableStream<Uint8Array>;
    this.#connection = agent().connect(ndJsonStream(Writable.toWeb(this.#child.stdin), input));
  }

  /** What the agent asks the editor with. */
  get editor(): AgentContext {
    return this.#connection.client;
  }

  /** Ends the editor as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    this.#child.stdin.end();
    await this.#exited;
  }
}

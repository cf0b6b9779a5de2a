import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { client, ndJsonStream } from '@agentclientprotocol/sdk';
import { agent as agent2 } from '@agentclientprotocol/sdk/experimental/v2';
import { serveTerminals, terminalUpdates } from '../src/acp/index.ts';
import { openStore } from '../src/index.ts';

/** The protocol's lines, over the stdio of a process. */
export type Stream = ReturnType<typeof ndJsonStream>;

/** What an agent of version 2 says of itself. */
export const info = { name: 'bench', version: '1' };

/** Runs in a helper process: an editor of ACP 1 on its stdio, whose terminals are tasks. */
export async function serveEditor([dir]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  const editor = client();
  serveTerminals(editor, { store });
  await editor.connect(ownStream()).closed;
  await store.close();
}

/** Runs in a helper process: an agent of ACP 2 on its stdio. A new session is one command, shown as a terminal. */
export async function serveAgent([dir]: readonly string[]): Promise<void> {
  const store = await openStore({ dir: String(dir) });
  const session = await store.session('acp');
  const app = agent2().onRequest('initialize', () => ({ protocolVersion: 2, info }));
  app.onRequest('session/new', async ({ params, client: shownBy }) => {
    const task = await session.spawn(String(params._meta?.command));
    const show = async (): Promise<void> => {
      for await (const update of terminalUpdates(task)) {
        await shownBy.notify('session/update', { sessionId: task.id, update });
      }
      await task.ack();
    };
    void show();
    return { sessionId: task.id };
  });
  await app.connect(ownStream()).closed;
  await store.close();
}

function ownStream(): Stream {
  return ndJsonStream(Writable.toWeb(process.stdout), bytesOf(process.stdin));
}

function bytesOf(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}

/** The other side, in a process of its own. */
export class Peer {
  readonly stream: Stream;
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(kind: 'acp-editor' | 'acp-agent', dir: string) {
    this.#child = spawn(process.execPath, [String(process.argv[1]), '--helper', kind, dir]);
    this.#child.stderr.pipe(process.stderr);
    this.stream = ndJsonStream(Writable.toWeb(this.#child.stdin), bytesOf(this.#child.stdout));
  }

  async close(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exit;
  }
}

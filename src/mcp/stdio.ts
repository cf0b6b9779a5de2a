import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Store } from '../api/store.ts';
import { Desks } from './desks.ts';
import { type MadeServer, makeServer } from './make-server.ts';
import { Peer } from './peer.ts';
import { StdioLink } from './stdio-link.ts';
import { TaskSubscriptions } from './task-subscriptions.ts';

/** How to serve MCP on stdio. */
export interface StdioServerOptions {
  /** Where the tasks are. It stays open when the server ends. */
  readonly store: Store;
  /** The session of everything that this client does. @default see docs/mcp.md: `$OUTLIVE_SESSION`, else the client's own id, else one for each client program and working directory */
  readonly session?: string;
  /** @default process.stdin */
  readonly input?: Readable;
  /** Nothing but the protocol is written to it. @default process.stdout */
  readonly output?: Writable;
  /** Told of what went wrong and concerns no single request. @default nobody */
  readonly onError?: (error: Error) => void;
}

/**
 * Serves one MCP client, of either generation, over a pair of streams. Tasks outlive it.
 * @returns when the client has closed its end, or the output is gone.
 */
export async function runStdioServer(options: StdioServerOptions): Promise<void> {
  const { store, session = null, input = process.stdin, output = process.stdout, onError } = options;
  const peer = new Peer(new Desks(store));
  let made: MadeServer | null = null;
  const subscriptions = new TaskSubscriptions(peer, () => made, { proves: true });
  const link = new StdioLink(new StdioServerTransport(input, output), peer.receipts, subscriptions);
  const closed = new Promise<void>((resolve) => link.onClosed(resolve));
  serveStdio(
    ({ era }) => {
      made?.pushes?.close();
      made = makeServer({ era, peer, session, canPush: true, requestKey: (ctx) => ctx.mcpReq.id });
      return made.server;
    },
    { transport: link, ...(onError && { onerror: onError }) },
  );
  await closed;
  subscriptions.close();
  const last: MadeServer | null = made;
  closePushes(last);
}

function closePushes(made: MadeServer | null): void {
  made?.pushes?.close();
}

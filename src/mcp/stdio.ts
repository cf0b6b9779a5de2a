import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Store } from '../api/store.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { currentFolderOrNull } from '../platform/current-folder.ts';
import { ClientSessions } from '../tools/delivery/client-sessions.ts';
import { Connection } from '../tools/delivery/connection.ts';
import type { FleetSource } from '../tools/fleet/agent-fleet.ts';
import { FleetLink } from '../tools/fleet/fleet-link.ts';
import { RemoteDelivery } from '../tools/fleet/remote-delivery.ts';
import { type MadeServer, makeServer } from './make-server.ts';
import { StdioLink } from './stdio-link.ts';
import { TaskSubscriptions } from './tasks/task-subscriptions.ts';

/** How to serve MCP on stdio. */
export interface StdioServerOptions {
  /**
   * Where the tasks are. It stays open when the server ends. A function opens it when a client first needs it: an agent that asks
   * which tools there are does not wait for a disk, and reads in the answer of a tool why the store cannot be opened.
   */
  readonly store: Store | (() => Promise<Store>);
  /** The session of everything that this client does. @default see docs/mcp.md: `$OUTLIVE_SESSION`, else the client's own id, else one for each client program and working directory */
  readonly session?: string;
  /**
   * Answers also come as structure (`structuredContent`), for programs. Agents show their models that in place of the text, which
   * says more. @default false
   */
  readonly structured?: boolean;
  /**
   * Opens the fleet whose hosts `run` can take: `openFleet` of `outlive/fleet`. It is called when a tool is called first. What it
   * has opened stays open when the server ends. @default none: all commands run on this machine
   */
  readonly fleet?: FleetSource;
  /** @default process.stdin */
  readonly input?: Readable;
  /** Nothing but the protocol is written to it. @default process.stdout */
  readonly output?: Writable;
  /** Told of what went wrong and concerns no single request. @default nobody */
  readonly onError?: (error: Error) => void;
}

const stdioServerOptionNames: OptionNames<StdioServerOptions> = {
  store: true,
  session: true,
  structured: true,
  fleet: true,
  input: true,
  output: true,
  onError: true,
};

/**
 * Serves one MCP client, of either generation, over a pair of streams. Tasks outlive it.
 * @returns when the client has closed its end, or the output is gone.
 */
export async function runStdioServer(options: StdioServerOptions): Promise<void> {
  checkOptions('runStdioServer()', options, stdioServerOptionNames);
  const { store, session = null, structured = false, fleet, onError } = options;
  const { input = process.stdin, output = process.stdout } = options;
  // Commands that name their own folder need none.
  const cwd = currentFolderOrNull();
  // The program that started us writes to our stdin. Other streams come from within this process. The first process of a
  // container has no parent in it.
  const bindTo = { pid: input === process.stdin ? process.ppid || process.pid : process.pid };
  const connection = new Connection(new ClientSessions(store), 'pipe', bindTo.pid);
  const remote = fleet === undefined ? null : new RemoteDelivery(new FleetLink(fleet), 'pipe');
  let made: MadeServer | null = null;
  const subscriptions = new TaskSubscriptions(connection, () => made, { proves: true });
  const link = new StdioLink(new StdioServerTransport(input, output), connection.receipts, subscriptions);
  const closed = new Promise<void>((resolve) => link.onClosed(resolve));
  serveStdio(
    ({ era }) => {
      made?.pushes?.close();
      made = makeServer({
        ...{ era, connection, session, cwd, bindTo, remote, structured, canPush: true },
        requestKey: (ctx) => ctx.mcpReq.id,
      });
      return made.server;
    },
    { transport: link, ...(onError && { onerror: (error) => onError(inOneLine(error)) }) },
  );
  await closed;
  subscriptions.close();
  const last: MadeServer | null = made;
  closePushes(last);
  await remote?.close();
}

/** Of a message that is none the SDK says for each of its kinds, in many lines, why it is not of that kind. */
function inOneLine(error: Error): Error {
  if (!('issues' in error)) return error;
  return new Error('expected a message of JSON-RPC 2.0; found one that is none. It gets no answer.', {
    cause: error,
  });
}

function closePushes(made: MadeServer | null): void {
  made?.pushes?.close();
}

import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import { FleetToUse } from './fleet-to-use.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type CommonOptions, openStoreOf, withStore } from './open.ts';
import type { Host, McpServers } from './verb.ts';

interface McpOptions extends CommonOptions {
  readonly http?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly tokenFile?: string;
  readonly structured?: boolean;
}

/** `outlive mcp`: serves one client on stdin and stdout, or with `--http` any number that have the token. */
export async function mcp(
  io: Io,
  _operands: readonly string[],
  options: McpOptions,
  host: Host,
): Promise<number> {
  const { http = false, port, tokenFile } = options;
  if (!http && (options.host !== undefined || port !== undefined || tokenFile !== undefined)) {
    throw new OutliveError(
      'USAGE',
      'expected --http with --host, --port and --token-file; found none. See: outlive mcp --help',
    );
  }
  const servers = await host.loadMcp();
  if (http) await withStore(options, (store) => serveHttp(io, store, options, servers));
  else await serveStdio(io, options, servers);
  return exitStatus.ok;
}

/** The session is the server's to choose when none is named: see docs/mcp.md. */
async function serveStdio(io: Io, options: McpOptions, servers: McpServers): Promise<void> {
  const { session, structured = false } = options;
  let opening: Promise<Store> | undefined;
  await using fleet = FleetToUse.find();
  const served = servers.runStdioServer({
    store: () => {
      opening = openStoreOf(options);
      return opening;
    },
    structured,
    ...(session !== undefined && { session }),
    ...(fleet !== null && { fleet: async () => await fleet.open() }),
    onError: (error) => io.note(error.message),
  });
  await untilInterrupted((interrupted) => Promise.race([served, whenAborted(interrupted)]));
  // A client that is there yet would keep us.
  process.stdin.destroy();
  const [opened] = await Promise.allSettled([opening]);
  if (opened.status === 'fulfilled') await opened.value?.close();
}

async function serveHttp(io: Io, store: Store, options: McpOptions, servers: McpServers): Promise<void> {
  const { session, host, port, tokenFile, structured = false } = options;
  await using fleet = FleetToUse.find();
  await using server = await servers.startHttpServer({
    store,
    structured,
    ...(session !== undefined && { session }),
    ...(fleet !== null && { fleet: async () => await fleet.open() }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(tokenFile !== undefined && { tokenFile }),
    onError: (error) => io.note(error.message),
  });
  io.note(`serves MCP at ${server.url}${server.tokenWasMade ? `, token ${server.token}` : ''}`);
  await untilInterrupted(whenAborted);
}

function whenAborted(abortSignal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (abortSignal.aborted) resolve();
    else abortSignal.addEventListener('abort', () => resolve(), { once: true });
  });
}

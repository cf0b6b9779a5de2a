import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type CommonOptions, withStore } from './open.ts';
import type { Host, McpServers } from './verb.ts';

interface McpOptions extends CommonOptions {
  readonly http?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly tokenFile?: string;
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
      'expected --http with --host, --port and --token-file; found none. See: outlive help mcp',
    );
  }
  const servers = await host.loadMcp();
  return await withStore(options, async (store) => {
    await (http ? serveHttp : serveStdio)(io, store, options, servers);
    return exitStatus.ok;
  });
}

/** The session is the server's to choose when none is named: see docs/mcp.md. */
async function serveStdio(io: Io, store: Store, { session }: McpOptions, servers: McpServers): Promise<void> {
  const serving = servers.runStdioServer({
    store,
    ...(session !== undefined && { session }),
    onError: (error) => io.note(error.message),
  });
  await untilInterrupted((interrupted) => Promise.race([serving, whenAborted(interrupted)]));
  // A client that is there yet would keep us.
  process.stdin.destroy();
}

async function serveHttp(io: Io, store: Store, options: McpOptions, servers: McpServers): Promise<void> {
  const { session, host, port, tokenFile } = options;
  await using server = await servers.startHttpServer({
    store,
    ...(session !== undefined && { session }),
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

import type { Store } from '../api/store.ts';
import { OutliveError } from '../errors/error.ts';
import { exitStatus } from './exit-status.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import { type CommonOptions, withStore } from './open.ts';

interface McpOptions extends CommonOptions {
  readonly http?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly tokenFile?: string;
}

/** `outlive mcp`: serves one client on stdin and stdout, or with `--http` any number that have the token. */
export async function mcp(io: Io, _operands: readonly string[], options: McpOptions): Promise<number> {
  const { http = false, host, port, tokenFile } = options;
  if (!http && (host !== undefined || port !== undefined || tokenFile !== undefined)) {
    throw new OutliveError(
      'USAGE',
      'expected --http with --host, --port and --token-file; found none. See: outlive help mcp',
    );
  }
  return await withStore(options, async (store) => {
    await (http ? serveHttp(io, store, options) : serveStdio(io, store, options));
    return exitStatus.ok;
  });
}

/** The session is the server's to choose when none is named: see docs/mcp.md. */
async function serveStdio(io: Io, store: Store, { session }: McpOptions): Promise<void> {
  const { runStdioServer } = await import('../mcp/stdio.ts');
  const serving = runStdioServer({
    store,
    ...(session !== undefined && { session }),
    onError: (error) => io.note(error.message),
  });
  await untilInterrupted((interrupted) => Promise.race([serving, whenAborted(interrupted)]));
  // A client that is there yet would keep us.
  process.stdin.destroy();
}

async function serveHttp(io: Io, store: Store, options: McpOptions): Promise<void> {
  const { session, host, port, tokenFile } = options;
  const { startHttpServer } = await import('../mcp/http.ts');
  await using server = await startHttpServer({
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

import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../src/mcp/index.ts';
import type { World } from './world.ts';

export const testToken = 'a-token-for-tests';

/** A server over HTTP in this process, on a world's store. */
export async function startHttp(
  world: World,
  options: Omit<HttpServerOptions, 'store'> = {},
): Promise<HttpServer> {
  return await startHttpServer({
    store: await world.store(),
    token: testToken,
    structured: true,
    ...options,
  });
}

/** A request of a client of 2026-07-28. */
export function modernBody(method: string, params: Record<string, unknown> = {}): Record<string, unknown> {
  const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  return {
    jsonrpc: '2.0',
    id: 1,
    method,
    params: { ...params, _meta: { ..._meta, ...(params._meta as object | undefined) } },
  };
}

/** The headers that such a request has. */
export function modernHeaders(body: Record<string, unknown>, session = 's'): Record<string, string> {
  const { name, taskId } = body.params as { name?: string; taskId?: string };
  const mcpName = name ?? taskId;
  return {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${testToken}`,
    'outlive-session': session,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': String(body.method),
    ...(mcpName !== undefined && { 'mcp-name': mcpName }),
  };
}

/** Posts a request and gives its result. */
export async function post(
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  session = 's',
): Promise<Record<string, unknown>> {
  const body = modernBody(method, params);
  const headers = modernHeaders(body, session);
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as { result?: Record<string, unknown>; error?: unknown };
  if (answer.result === undefined) throw new Error(`${response.status} ${JSON.stringify(answer.error)}`);
  return answer.result;
}

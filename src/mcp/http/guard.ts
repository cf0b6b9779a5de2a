import type { IncomingMessage } from 'node:http';
import { validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import { checkSessionId } from '../../engine/session/validate.ts';
import { OutliveError } from '../../errors/error.ts';
import { showsToken } from '../../web/token.ts';

/** The header, and the parameter of the address, in which a client names its session. */
const sessionHeader = 'outlive-session';
const sessionParameter = 'session';

/** Where MCP is served. */
export const mcpPath = '/mcp';

/** Whom a server lets in. */
export interface Door {
  readonly token: string;
  /** Host names, without port, under which the server is reached. Others are somebody's DNS that points here. */
  readonly hostnames: readonly string[];
  /** Session of clients that name none; null: they must. */
  readonly session: string | null;
}

/** Why a request is not let in. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** The session of a request that is let in, or why it is not. */
export function checkRequest(request: IncomingMessage, door: Door): { session: string } | Refusal {
  const { headers } = request;
  const host = validateHostHeader(headers.host, [...door.hostnames]);
  if (!host.ok)
    return { status: 403, message: `expected a Host that this server is reached by. ${host.message}` };
  const origin = validateOriginHeader(headers.origin, [...door.hostnames]);
  if (!origin.ok) return { status: 403, message: `expected no page of another origin. ${origin.message}` };
  if (!showsToken(headers.authorization, door.token)) {
    return {
      status: 401,
      message: 'expected the header Authorization: Bearer with the token of this server',
    };
  }
  const url = parseUrl(request.url);
  if (url?.pathname !== mcpPath) return { status: 404, message: `expected the path ${mcpPath}` };
  const named = headers[sessionHeader] ?? url.searchParams.get(sessionParameter) ?? door.session;
  if (typeof named !== 'string') {
    return {
      status: 400,
      message: `expected the client to name its session, in the header Outlive-Session or in the address as ${mcpPath}?${sessionParameter}=NAME. Any text that is the agent's alone will do.`,
    };
  }
  return isSessionId(named)
    ? { session: named }
    : { status: 400, message: 'expected a session of 1 to 1024 bytes' };
}

function isSessionId(text: string): boolean {
  try {
    checkSessionId(text);
    return true;
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return false;
  }
}

function parseUrl(target: string | undefined): URL | null {
  try {
    // It is appended to a host, so that a path that begins with two slashes names no other host.
    return new URL(`http://localhost${target}`);
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL')) throw error;
    return null;
  }
}

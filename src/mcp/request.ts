import {
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { conversationOf } from '../engine/session/conversation.ts';
import type { BindTo } from '../engine/spawn/spawn-request.ts';
import { OutliveError } from '../errors/error.ts';
import { isFleetReference } from '../model/fleet-reference.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { taskIdPattern } from '../tasklog/paths.ts';
import { callerIn, hearerIn, type Meta, receivedIn } from '../tools/delivery/asker.ts';
import type { ClientSession } from '../tools/delivery/client-session.ts';
import type { Connection, Request } from '../tools/delivery/connection.ts';
import { type FoundTask, taskOfUsed, taskWithId } from '../tools/delivery/find-task.ts';
import type { RemoteDelivery } from '../tools/fleet/remote-delivery.ts';
import { chooseSession } from './session-choice.ts';

/** What the handlers of one server instance share. */
export interface ServedRequest {
  readonly server: Server;
  /** `legacy` is protocol 2025-11-25 and before, `modern` is 2026-07-28. */
  readonly era: 'legacy' | 'modern';
  readonly connection: Connection;
  /** The session that the operator, or the HTTP request, has named. */
  readonly session: string | null;
  readonly cwd: string | null;
  /** What a task is bound to that is to end with the client. */
  readonly bindTo: BindTo;
  /** The tasks on other hosts; null: this machine is no client of a fleet. */
  readonly remote: RemoteDelivery | null;
  /** Whether answers come as structure, beside the text. */
  readonly structured: boolean;
  /** The server has several clients, each of which names its session. */
  readonly isShared: boolean;
  /** By what the client's receipts know the request. */
  requestKey(ctx: ServerContext): unknown;
  /** Told of each MCP task that this client has, as the client is told of it; null where nothing can be pushed. */
  readonly watchTask: ((clientSession: ClientSession, told: TaskSnapshot) => void) | null;
}

/** The client that makes a request, and the session that it is about. */
export async function requestOf(served: ServedRequest, ctx: ServerContext): Promise<Request> {
  return await requestWith(served, metaOf(ctx));
}

/** The session that a request is about. */
export async function clientSessionFor(served: ServedRequest, ctx: ServerContext): Promise<ClientSession> {
  return (await requestOf(served, ctx)).clientSession;
}

/**
 * A task that a client names by its id: of whichever session it is.
 * @throws ProtocolError invalid params.
 */
export async function taskFor(served: ServedRequest, ctx: ServerContext, taskId: string): Promise<FoundTask> {
  const found = await taskAmong(served, metaOf(ctx), taskId);
  if (found !== null) return found;
  throw invalidParams(
    `expected the id of a task; found no task ${JSON.stringify(taskId)} in this store. It may have been removed.`,
  );
}

/** The same by the `_meta` of a request; null when there is no such task. */
export async function taskAmong(
  served: ServedRequest,
  meta: Meta,
  taskId: string,
): Promise<FoundTask | null> {
  if (!taskIdPattern.test(taskId)) return null;
  return await taskWithId(served.connection, await requestWith(served, meta), taskId);
}

/** What the request's `_meta` said; the SDK has put the protocol's own part of it aside. */
function metaOf(ctx: ServerContext): Meta {
  return { ...ctx.mcpReq._meta, ...ctx.mcpReq.envelope };
}

async function requestWith(served: ServedRequest, meta: Meta): Promise<Request> {
  const { connection, session } = served;
  const info = meta['io.modelcontextprotocol/clientInfo'] ?? served.server.getClientVersion();
  const sessionId = chooseSession({
    named: session,
    env: process.env,
    meta,
    clientName: nameIn(info),
    cwd: served.cwd,
  });
  const clientSession = await connection.open(sessionId);
  // Over HTTP the environment is the server's, and a request that names a session comes from its client.
  const party = served.isShared
    ? (conversationOf({ env: {}, meta }) ?? sessionId)
    : conversationOf({ env: process.env, meta });
  const client = connection.clientOf(clientSession);
  const request = { clientSession, party, caller: callerIn(meta), client, hearer: hearerIn(meta) };
  for (const taskId of receivedIn(meta))
    if (isFleetReference(taskId)) await served.remote?.received(request, taskId);
    else await confirm(connection, request, taskId);
  return request;
}

/** The client says that it has the end of a task: of a session that it uses, for others are not opened by that. */
async function confirm(connection: Connection, request: Request, taskId: string): Promise<void> {
  const found = taskIdPattern.test(taskId) ? taskOfUsed(connection, request, taskId) : null;
  if (found !== null) await connection.received(found.request, taskId);
}

/** The end of a task is told by the answer to a request that is no call of a tool. */
export function tellWith(served: ServedRequest, ctx: ServerContext, request: Request, taskId: string): void {
  const outcome = served.connection.tellBeside(request, taskId);
  if (outcome !== null) served.connection.receipts.expect(served.requestKey(ctx), outcome);
}

/** The error of a request whose parameters cannot be used. */
export function invalidParams(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}

/** An error as the protocol has it: ours says what was wrong with the request. */
export function asProtocolError(error: unknown): unknown {
  return error instanceof OutliveError ? invalidParams(`${error.code}: ${error.message}`) : error;
}

function nameIn(info: unknown): string | null {
  const name = typeof info === 'object' && info !== null && 'name' in info ? info.name : null;
  return typeof name === 'string' ? name : null;
}

import {
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { OutliveError } from '../errors/error.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { taskIdPattern } from '../tasklog/paths.ts';
import type { Desk } from './desk.ts';
import type { Peer } from './peer.ts';
import { chooseSession } from './session-choice.ts';

/** What the handlers of one server instance share. */
export interface Serving {
  readonly server: Server;
  /** `legacy` is protocol 2025-11-25 and before, `modern` is 2026-07-28. */
  readonly era: 'legacy' | 'modern';
  readonly peer: Peer;
  /** The session that the operator, or the HTTP request, has named. */
  readonly session: string | null;
  /** By what the client's receipts know the request. */
  requestKey(ctx: ServerContext): unknown;
  /** Told of each MCP task that this client has; null where nothing can be pushed. */
  readonly watchTask: ((desk: Desk, taskId: string) => void) | null;
}

/** The session that a request is about. */
export async function deskFor(serving: Serving, ctx: ServerContext): Promise<Desk> {
  return await deskOf(serving, metaOf(ctx));
}

/**
 * A task that a client names by its id: one of the request's session, or of another one that this client uses.
 * @throws ProtocolError invalid params, the same for a task of somebody else as for none.
 */
export async function taskFor(serving: Serving, ctx: ServerContext, taskId: string): Promise<FoundTask> {
  const found = await taskAmong(serving, metaOf(ctx), taskId);
  if (found !== null) return found;
  throw invalidParams(
    `expected the id of a task of this session; found no task ${JSON.stringify(taskId)}. It may belong to another session, or was removed.`,
  );
}

/** A task and the session that has it. */
export interface FoundTask {
  readonly desk: Desk;
  readonly snapshot: TaskSnapshot;
}

/** The same by the `_meta` of a request; null when this client has no such task. */
export async function taskAmong(serving: Serving, meta: Meta, taskId: string): Promise<FoundTask | null> {
  if (!taskIdPattern.test(taskId)) return null;
  const own = await deskOf(serving, meta);
  for (const desk of new Set([own, ...serving.peer.desks])) {
    const snapshot = desk.snapshot(taskId);
    if (snapshot !== null) return { desk, snapshot };
  }
  return null;
}

type Meta = Readonly<Record<string, unknown>>;

/** What the request's `_meta` said; the SDK has put the protocol's own part of it aside. */
function metaOf(ctx: ServerContext): Meta {
  return { ...ctx.mcpReq._meta, ...ctx.mcpReq.envelope };
}

async function deskOf(serving: Serving, meta: Meta): Promise<Desk> {
  const info = meta['io.modelcontextprotocol/clientInfo'] ?? serving.server.getClientVersion();
  const sessionId = chooseSession({
    named: serving.session,
    env: process.env,
    meta,
    clientName: nameIn(info),
    cwd: process.cwd(),
  });
  return await serving.peer.open(sessionId);
}

/** Asks to be told what becomes of the answer to a request that tells of the end of tasks. */
export function tellWith(serving: Serving, ctx: ServerContext, desk: Desk, taskIds: readonly string[]): void {
  if (taskIds.length === 0) return;
  serving.peer.receipts.expect(serving.requestKey(ctx), serving.peer.tell(desk, taskIds));
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

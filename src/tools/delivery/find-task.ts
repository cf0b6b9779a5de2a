import type { TaskSnapshot } from '../../model/snapshot.ts';
import { taskIdPattern } from '../../tasklog/paths.ts';
import type { ClientSession } from './client-session.ts';
import type { Connection, Request } from './connection.ts';

/** A task, and the session that has it. */
export interface FoundTask {
  readonly request: Request;
  readonly clientSession: ClientSession;
  readonly snapshot: TaskSnapshot;
}

/** Tools that take a task of any session, named by its full id. */
const ofAnySession: ReadonlySet<string> = new Set(['wait', 'output', 'kill']);

/**
 * The same request, for the session of the task that it names by its full id. A session that nobody has open is taken
 * over.
 */
export async function requestAbout(
  connection: Connection,
  request: Request,
  toolName: string,
  args: unknown,
): Promise<Request> {
  const own = request.clientSession;
  const taskId = typeof args === 'object' && args !== null && 'task' in args ? args.task : undefined;
  if (typeof taskId !== 'string' || !taskIdPattern.test(taskId)) return request;
  if (ofAnySession.has(toolName)) return (await taskWithId(connection, request, taskId))?.request ?? request;
  const used = taskOfUsed(connection, request, taskId);
  if (used !== null) return used.request;
  const left = await own.leftSession(taskId);
  return left === null ? request : { ...request, clientSession: await connection.open(left) };
}

/** Finds a task by its full id: in the request's session, in others that this client uses, then in any. */
export async function taskWithId(
  connection: Connection,
  request: Request,
  taskId: string,
): Promise<FoundTask | null> {
  const used = taskOfUsed(connection, request, taskId);
  if (used !== null) return used;
  const owner = await connection.openWith(taskId);
  return owner === null ? null : foundIn(owner, request, taskId);
}

/** Finds a task by its full id in the sessions that this client uses, and opens none. */
export function taskOfUsed(connection: Connection, request: Request, taskId: string): FoundTask | null {
  for (const clientSession of new Set([request.clientSession, ...connection.clientSessions])) {
    const found = foundIn(clientSession, request, taskId);
    if (found !== null) return found;
  }
  return null;
}

function foundIn(clientSession: ClientSession, request: Request, taskId: string): FoundTask | null {
  const snapshot = clientSession.snapshot(taskId);
  return snapshot === null ? null : { request: { ...request, clientSession }, clientSession, snapshot };
}

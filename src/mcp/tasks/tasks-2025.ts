import type { ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { ClientSession } from '../../tools/delivery/client-session.ts';
import { sayTask } from '../../tools/text/present.ts';
import {
  asProtocolError,
  clientSessionFor,
  invalidParams,
  type ServedRequest,
  taskFor,
  tellWith,
} from '../request.ts';
import { mcpTask, pollIntervalMs } from './mcp-task.ts';
import { taskResult } from './task-result.ts';

const taskParams = z.object({ taskId: z.string() });
const pageSize = 100;

/** Serves the `tasks/*` methods of protocol 2025-11-25. */
export function serveTasks2025(served: ServedRequest): void {
  const { server } = served;
  server.setRequestHandler('tasks/get', { params: taskParams }, async ({ taskId }, ctx) => {
    const { clientSession, snapshot } = await taskFor(served, ctx, taskId);
    served.connection.handOver(taskId);
    served.watchTask?.(clientSession, snapshot);
    return { ...task2025(snapshot) };
  });
  server.setRequestHandler('tasks/result', { params: taskParams }, async ({ taskId }, ctx) =>
    result(served, ctx, taskId),
  );
  server.setRequestHandler('tasks/cancel', { params: taskParams }, async ({ taskId }, ctx) =>
    cancel(served, ctx, taskId),
  );
  server.setRequestHandler(
    'tasks/list',
    { params: z.object({ cursor: z.string().optional() }) },
    async (params, ctx) => list(await clientSessionFor(served, ctx), params.cursor),
  );
}

/** The answer to a call that asked to be a task. Its record is on disk. */
export function createTask2025(served: ServedRequest, clientSession: ClientSession, snapshot: TaskSnapshot) {
  served.connection.handOver(snapshot.taskId);
  served.watchTask?.(clientSession, snapshot);
  const forModel = `${sayTask(snapshot)}\nIt goes on in the background, and you will be told when it ends.`;
  return {
    // The SDK lets a result with a task pass only when it has content as well.
    content: [],
    task: task2025(snapshot),
    _meta: { 'io.modelcontextprotocol/model-immediate-response': forModel },
  };
}

/** A task as generation 1 has it, in answers and in `notifications/tasks/status`. */
export function task2025(snapshot: TaskSnapshot) {
  const now = Date.now();
  return { ...mcpTask(snapshot, 1, now), ttl: null, pollInterval: pollIntervalMs(snapshot, now) };
}

async function result(served: ServedRequest, ctx: ServerContext, taskId: string) {
  const { request, clientSession } = await taskFor(served, ctx, taskId);
  served.connection.handOver(taskId);
  const snapshot = await clientSession.session
    .task(taskId)
    .wait({ ack: false, abortSignal: ctx.mcpReq.signal });
  tellWith(served, ctx, request, taskId);
  const related = { 'io.modelcontextprotocol/related-task': { taskId } };
  return { ...(await taskResult(clientSession, snapshot, served.structured)), _meta: related };
}

async function cancel(served: ServedRequest, ctx: ServerContext, taskId: string) {
  const { clientSession, snapshot } = await taskFor(served, ctx, taskId);
  if (isEnded(snapshot.status)) throw alreadyEnded(snapshot);
  try {
    const stopped = await clientSession.session.task(taskId).kill({ ack: false });
    const task = task2025(stopped);
    if (task.status !== 'cancelled') throw alreadyEnded(stopped);
    return { ...task };
  } catch (error) {
    throw asProtocolError(error);
  }
}

function alreadyEnded(snapshot: TaskSnapshot): Error {
  return invalidParams(`expected a task that has not ended; found ${sayTask(snapshot)}`);
}

/** The tasks of a session, the oldest first; the cursor is the last id of the page before. */
async function list(clientSession: ClientSession, cursor: string | undefined) {
  const tasks = await clientSession.session.tasks();
  const from = cursor === undefined ? 0 : tasks.findIndex(({ taskId }) => taskId === cursor) + 1;
  if (cursor !== undefined && from === 0) {
    throw invalidParams(`expected a cursor that this server gave out; found ${JSON.stringify(cursor)}.`);
  }
  const page = tasks.slice(from, from + pageSize);
  const more = tasks.length > from + pageSize;
  return { tasks: page.map(task2025), ...(more && { nextCursor: page.at(-1)?.taskId }) };
}

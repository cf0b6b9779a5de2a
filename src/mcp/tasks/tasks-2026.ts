import { MissingRequiredClientCapabilityError, type ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';
import type { ClientSession } from '../../tools/delivery/client-session.ts';
import { asProtocolError, type ServedRequest, taskFor, tellWith } from '../request.ts';
import { mcpTask, pollIntervalMs } from './mcp-task.ts';
import { taskResult } from './task-result.ts';

/** The name of the extension, in capabilities of both sides. */
export const tasksExtension = 'io.modelcontextprotocol/tasks';

const taskParams = z.object({ taskId: z.string() });

/** Serves `tasks/get`, `tasks/update` and `tasks/cancel` of the extension of 2026-07-28. */
export function serveTasks2026(served: ServedRequest): void {
  const { server } = served;
  server.setRequestHandler('tasks/get', { params: taskParams }, async ({ taskId }, ctx) => {
    mustDeclareTasks(ctx);
    const { request, clientSession, snapshot } = await taskFor(served, ctx, taskId);
    served.connection.handOver(taskId);
    if (isEnded(snapshot.status)) tellWith(served, ctx, request, taskId);
    return { ...(await detailedTask(clientSession, snapshot, served.structured)) };
  });
  server.setRequestHandler('tasks/update', { params: taskParams }, async ({ taskId }, ctx) => {
    mustDeclareTasks(ctx);
    // No command asks for input, so there is never an answer that is waited for; the rest is ignored.
    await taskFor(served, ctx, taskId);
    return {};
  });
  server.setRequestHandler('tasks/cancel', { params: taskParams }, async ({ taskId }, ctx) => {
    mustDeclareTasks(ctx);
    const { clientSession, snapshot } = await taskFor(served, ctx, taskId);
    if (!isEnded(snapshot.status)) await stop(clientSession, taskId);
    return {};
  });
}

/** Whether the client said with this very request that it takes tasks. */
export function declaresTasks(ctx: ServerContext): boolean {
  return declaredIn({ ...ctx.mcpReq.envelope });
}

/**
 * The extension wants a request of its methods refused when the client did not declare it in that request.
 * @throws MissingRequiredClientCapabilityError -32021.
 */
function mustDeclareTasks(ctx: ServerContext): void {
  if (declaresTasks(ctx)) return;
  throw new MissingRequiredClientCapabilityError(
    { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
    `expected a client that declares the extension ${tasksExtension} in clientCapabilities of the request; found none.`,
  );
}

/** Whether the extension is among the capabilities in a request's `_meta`. */
export function declaredIn(meta: Readonly<Record<string, unknown>>): boolean {
  const capabilities = meta['io.modelcontextprotocol/clientCapabilities'];
  const extensions = fieldOf(capabilities, 'extensions');
  return fieldOf(extensions, tasksExtension) !== undefined;
}

/** The result of a call that goes on as a task. Its record is on disk. */
export function createTask2026(served: ServedRequest, _desk: ClientSession, snapshot: TaskSnapshot) {
  served.connection.handOver(snapshot.taskId);
  return { resultType: 'task', ...wireTask(snapshot) };
}

/** A task with its result, as `tasks/get` and `notifications/tasks` have it. */
export async function detailedTask(
  clientSession: ClientSession,
  snapshot: TaskSnapshot,
  structured: boolean,
): Promise<Record<string, unknown>> {
  const task = wireTask(snapshot);
  if (task.status !== 'completed') return task;
  const result = await taskResult(clientSession, snapshot, structured);
  return { ...task, result: { resultType: 'complete', ...result } };
}

function wireTask(snapshot: TaskSnapshot) {
  const now = Date.now();
  // It is kept for as long as it is pending for anybody, and for days after that; there is no time to name.
  return { ...mcpTask(snapshot, 2, now), ttlMs: null, pollIntervalMs: pollIntervalMs(snapshot, now) };
}

async function stop(clientSession: ClientSession, taskId: string): Promise<void> {
  try {
    await clientSession.session.task(taskId).kill({ ack: false });
  } catch (error) {
    throw asProtocolError(error);
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

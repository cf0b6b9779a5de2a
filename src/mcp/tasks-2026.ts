import type { ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded } from '../model/words.ts';
import type { Desk } from './desk.ts';
import { mcpTask, pollIntervalMs } from './mcp-task.ts';
import { asProtocolError, type Serving, taskFor, tellWith } from './serving.ts';
import { taskResult } from './task-result.ts';

/** The name of the extension, in capabilities of both sides. */
export const tasksExtension = 'io.modelcontextprotocol/tasks';

const taskParams = z.object({ taskId: z.string() });

/** Serves `tasks/get`, `tasks/update` and `tasks/cancel` of the extension of 2026-07-28. */
export function serveTasks2026(serving: Serving): void {
  const { server } = serving;
  server.setRequestHandler('tasks/get', { params: taskParams }, async ({ taskId }, ctx) => {
    const { desk, snapshot } = await taskFor(serving, ctx, taskId);
    serving.peer.handOver(taskId);
    if (isEnded(snapshot.status)) tellWith(serving, ctx, desk, [taskId]);
    return { ...(await detailedTask(desk, snapshot)) };
  });
  server.setRequestHandler('tasks/update', { params: taskParams }, async ({ taskId }, ctx) => {
    // No command asks for input, so there is never an answer that is waited for; the rest is ignored.
    await taskFor(serving, ctx, taskId);
    return {};
  });
  server.setRequestHandler('tasks/cancel', { params: taskParams }, async ({ taskId }, ctx) => {
    const { desk, snapshot } = await taskFor(serving, ctx, taskId);
    if (!isEnded(snapshot.status)) await stop(desk, taskId);
    return {};
  });
}

/** Whether the client said with this very request that it takes tasks. */
export function declaresTasks(ctx: ServerContext): boolean {
  return declaredIn({ ...ctx.mcpReq.envelope });
}

/** Whether the extension is among the capabilities in a request's `_meta`. */
export function declaredIn(meta: Readonly<Record<string, unknown>>): boolean {
  const capabilities = meta['io.modelcontextprotocol/clientCapabilities'];
  const extensions = fieldOf(capabilities, 'extensions');
  return fieldOf(extensions, tasksExtension) !== undefined;
}

/** The result of a call that goes on as a task. Its record is on disk. */
export function createTask2026(serving: Serving, _desk: Desk, snapshot: TaskSnapshot) {
  serving.peer.handOver(snapshot.taskId);
  return { resultType: 'task', ...wireTask(snapshot) };
}

/** A task with its result, as `tasks/get` and `notifications/tasks` have it. */
export async function detailedTask(desk: Desk, snapshot: TaskSnapshot): Promise<Record<string, unknown>> {
  const task = wireTask(snapshot);
  if (task.status !== 'completed') return task;
  return { ...task, result: { resultType: 'complete', ...(await taskResult(desk, snapshot)) } };
}

function wireTask(snapshot: TaskSnapshot) {
  const now = Date.now();
  // It is kept for as long as anybody is owed it, and for days after that; there is no time to name.
  return { ...mcpTask(snapshot, 2, now), ttlMs: null, pollIntervalMs: pollIntervalMs(snapshot, now) };
}

async function stop(desk: Desk, taskId: string): Promise<void> {
  try {
    await desk.session.task(taskId).kill();
  } catch (error) {
    throw asProtocolError(error);
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

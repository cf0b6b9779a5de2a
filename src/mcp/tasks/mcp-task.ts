import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded, type TaskStatus } from '../../model/words.ts';
import { neverStarted } from '../../tools/run.ts';
import { sayLatest } from '../../tools/text/present.ts';

/** The two forms of MCP tasks: 1 is of protocol 2025-11-25, 2 is the extension of 2026-07-28. */
export type Generation = 1 | 2;

/** A task's status in MCP's words. */
export type McpStatus = 'working' | 'completed' | 'failed' | 'cancelled';

/** Reasons of `killed` that are somebody's wish; a limit is none. */
const wishes: readonly (string | null)[] = ['kill', 'shutdown', 'stale'];

/**
 * The status of an MCP task, from that of the outlive task. How a command ended is a result, so its MCP task is completed.
 * Where outlive could not start it, the result has `isError`, which is `failed` in generation 1 and `completed` in
 * generation 2.
 */
export function mcpStatus(status: TaskStatus, reason: string | null, generation: Generation): McpStatus {
  if (!isEnded(status)) return 'working';
  if (status === 'killed' && wishes.includes(reason)) return 'cancelled';
  return generation === 1 && neverStarted(status, reason) ? 'failed' : 'completed';
}

/** What both generations say of a task in the same words. */
export interface McpTaskBase {
  readonly taskId: string;
  readonly status: McpStatus;
  readonly statusMessage: string;
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
}

/** A task as an MCP task, without what the generations name differently. */
export function mcpTask(snapshot: TaskSnapshot, generation: Generation, nowMs: number): McpTaskBase {
  const { taskId, status, statusReason, createdAt, startedAt, endedAt, lastSeenAt } = snapshot;
  return {
    taskId,
    status: mcpStatus(status, statusReason, generation),
    statusMessage: sayLatest(snapshot),
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(
      isEnded(status) ? (endedAt ?? lastSeenAt ?? nowMs) : (startedAt ?? createdAt),
    ).toISOString(),
  };
}

const [shortestPollMs, longestPollMs] = [100, 5_000];

/** How long a client should leave between two looks: the longer the task has run, the longer. */
export function pollIntervalMs(snapshot: TaskSnapshot, nowMs: number): number {
  const age = nowMs - snapshot.createdAt;
  return Math.round(Math.min(longestPollMs, Math.max(shortestPollMs, age / 20)));
}

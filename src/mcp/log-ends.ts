import type { LoggingLevel, ServerContext } from '@modelcontextprotocol/server';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Desk } from './desk.ts';
import { sayTask } from './present.ts';

/** A completion as a log message. */
export function logMessage(completion: TaskSnapshot): { level: LoggingLevel; data: Record<string, unknown> } {
  const { taskId, status, exitCode } = completion;
  const level = status === 'completed' ? 'info' : 'warning';
  return { level, data: { message: sayTask(completion), taskId, status, exitCode } };
}

/**
 * Logs the ends of tasks while a call is under way, if its client asked for that with the request, as those of
 * 2026-07-28 do.
 * @returns ends it.
 */
export function logEnds(ctx: ServerContext, desk: Desk): () => void {
  const envelope: Readonly<Record<string, unknown>> = { ...ctx.mcpReq.envelope };
  if (envelope['io.modelcontextprotocol/logLevel'] === undefined) return () => undefined;
  return desk.onCompletion((completion) => {
    const { level, data } = logMessage(completion);
    ctx.mcpReq.log(level, data, 'outlive').catch(() => undefined);
  });
}

import type { LoggingLevel, ServerContext } from '@modelcontextprotocol/server';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Connection, Request } from '../tools/delivery/connection.ts';
import { sayTask } from '../tools/text/present.ts';
import { send } from './report.ts';

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
export function logEnds(ctx: ServerContext, connection: Connection, request: Request): () => void {
  const envelope: Readonly<Record<string, unknown>> = { ...ctx.mcpReq.envelope };
  if (envelope['io.modelcontextprotocol/logLevel'] === undefined) return () => undefined;
  return request.clientSession.onCompletion((completion) => {
    if (!connection.mayHear(request, completion.taskId)) return;
    const { level, data } = logMessage(completion);
    send('logging the end of a task', ctx.mcpReq.log(level, data, 'outlive'));
  });
}

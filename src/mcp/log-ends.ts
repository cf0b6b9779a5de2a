import type { LoggingLevel, ServerContext } from '@modelcontextprotocol/server';
import type { RemoteTask } from '../fleet/wire/operations.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import type { Request } from '../tools/delivery/connection.ts';
import { presentRemote, sayRemote } from '../tools/fleet/remote-text.ts';
import { sayTask } from '../tools/text/present.ts';
import { send } from './report.ts';
import type { ServedRequest } from './request.ts';

/** A log message. */
export interface LogMessage {
  readonly level: LoggingLevel;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The end of a task on another host as a log message. */
export function remoteLogMessage(end: RemoteTask): LogMessage {
  const { taskId, status, exitCode } = presentRemote(end);
  const level = status === 'completed' ? 'info' : 'warning';
  return { level, data: { message: sayRemote(end), taskId, status, exitCode } };
}

/** A completion as a log message. */
export function logMessage(completion: TaskSnapshot): LogMessage {
  const { taskId, status, exitCode } = completion;
  const level = status === 'completed' ? 'info' : 'warning';
  return { level, data: { message: sayTask(completion), taskId, status, exitCode } };
}

/**
 * Logs the ends of tasks while a call is under way, if its client asked for that with the request, as those of
 * 2026-07-28 do.
 * @returns ends it.
 */
export function logEnds(
  ctx: ServerContext,
  { connection, remote }: Pick<ServedRequest, 'connection' | 'remote'>,
  request: Request,
): () => void {
  const envelope: Readonly<Record<string, unknown>> = { ...ctx.mcpReq.envelope };
  if (envelope['io.modelcontextprotocol/logLevel'] === undefined) return () => undefined;
  const log = ({ level, data }: LogMessage): void =>
    send('logging the end of a task', ctx.mcpReq.log(level, data, 'outlive'));
  const undo = [
    request.clientSession.onCompletion((completion) => {
      if (connection.mayHear(request, completion.taskId)) log(logMessage(completion));
    }),
  ];
  const calls = remote?.callsOf(request);
  if (remote !== null && calls !== undefined)
    undo.push(
      remote.sessionOf(request).onEnd((end) => {
        if (calls.mayHear(end)) log(remoteLogMessage(end));
      }),
    );
  return () => {
    for (const end of undo) end();
  };
}

import { contextOf } from '../../api/session.ts';
import { startTask } from '../../api/start-task.ts';
import type { Task } from '../../api/task.ts';
import type { ScopedSpawnOptions } from '../../api/task-options.ts';
import { starterOf } from './asker.ts';
import type { ClientSession } from './client-session.ts';
import type { Connection, Request } from './connection.ts';
import { endedLately } from './ended-lately.ts';
import { type Found, mayHearLine, watchIdsOf } from './line-hearers.ts';

/** What a tool can do on behalf of its caller. */
export interface CallOf {
  readonly clientSession: ClientSession;
  /** Starts a command; this caller must hear of its end. */
  spawn(command: string, options: ScopedSpawnOptions): Promise<Task>;
  /** Whether this caller may be told of the end of a task unasked. */
  mayHear(taskId: string): boolean;
  /** Whether this caller must hear of a line that a watch has found. */
  mayHearLine(line: Found): boolean;
  /** The ids of the watches for a pattern that this caller may end; a new watch gets the first one. */
  watchIds(taskId: string, pattern: string): readonly [string, ...string[]];
  /** Whether an answer must still tell this caller of the end of a task. */
  untold(taskId: string): boolean;
  /** What ended in the last hour in the sessions and the folder of this client, told or not: a line each, the newest first. */
  endedLately(most: number): Promise<string[]>;
  /** Claims the end of a task for this caller. False if another client is being told of it just now. */
  take(taskId: string): boolean;
}

/** What a tool can do on behalf of a request. @param cwd the folder that the client works in. */
export function callOf(connection: Connection, request: Request, cwd: string | null): CallOf {
  const { clientSession } = request;
  const mayHear = (taskId: string): boolean => connection.mayHear(request, taskId);
  return {
    clientSession,
    spawn: async (command, options) =>
      await startTask(contextOf(clientSession.session), command, options, starterOf(request, cwd)),
    mayHear,
    mayHearLine: (line) => mayHearLine(line, request, mayHear),
    watchIds: (taskId, pattern) => watchIdsOf(pattern, request, mayHear(taskId)),
    untold: (taskId) => connection.untold(request, taskId),
    endedLately: async (most) => await endedLately(connection, request, { cwd, most }),
    take: (taskId) => connection.take(request, taskId),
  };
}

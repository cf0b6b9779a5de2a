import type { StopCause, TaskStatus } from '../../model/words.ts';
import { Topic } from '../../util/topic.ts';
import type { SessionContext } from './context.ts';

/** A task of a store. */
interface TaskPlace {
  /** The folder of the store. */
  readonly dir: string;
  readonly sessionId: string;
  readonly taskId: string;
}

/** Message of the channel `outlive:spawn`: this process has started a task. Its record is on disk. */
export interface SpawnMessage extends TaskPlace {
  readonly name: string | null;
  /** As in a snapshot. */
  readonly command: string;
}

/** Message of the channel `outlive:end`: a task has ended that this process has followed, or has settled. */
export interface EndMessage extends TaskPlace {
  readonly status: TaskStatus;
  readonly statusReason: string | null;
  readonly exitCode: number | null;
  readonly durationMs: number | null;
}

/** Message of the channel `outlive:stop`: this process has asked for the end of a task, or of its leftovers. */
export interface StopMessage extends TaskPlace {
  readonly cause: StopCause;
  readonly killSignal: string | null;
  readonly graceMs: number | null;
}

/** Where a task is, for a message. */
export function placeOf({ store, sessionId }: SessionContext, taskId: string): TaskPlace {
  return { dir: store.dir, sessionId, taskId };
}

/** See {@link SpawnMessage}. */
export const spawnTopic = new Topic<SpawnMessage>('outlive:spawn', ({ taskId, sessionId }) => {
  return `${taskId} of session ${JSON.stringify(sessionId)} was started`;
});

/** See {@link EndMessage}. */
export const endTopic = new Topic<EndMessage>('outlive:end', ({ taskId, status, statusReason, exitCode }) => {
  return `${taskId} has ended: ${[status, statusReason, exitCode].filter((part) => part !== null).join(' ')}`;
});

/** See {@link StopMessage}. */
export const stopTopic = new Topic<StopMessage>('outlive:stop', ({ taskId, cause, killSignal, graceMs }) => {
  return `stopping ${taskId}: ${cause}, ${killSignal} and a grace of ${graceMs} ms`;
});

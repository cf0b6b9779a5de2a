import { OutliveError } from '../../errors/error.ts';
import { stopTask } from '../end/stop.ts';
import type { SessionContext } from '../session/context.ts';
import { takeSnapshot } from '../session/observe.ts';

/**
 * Stops a task whole, and what it has left, so that another one can take its place. Its end is pending: who dies before the
 * other one has started leaves that word.
 * @param graceMs `null`: the task's own.
 * @throws OutliveError `NOT_STOPPED`, and as {@link stopTask}.
 */
export async function makeWay(
  context: SessionContext,
  taskId: string,
  graceMs: number | null,
): Promise<void> {
  await stopTask(context, taskId, { cause: 'replaced', graceMs, killSignal: 'SIGTERM' });
  const alive = takeSnapshot(context, taskId)?.leftovers ?? [];
  if (alive.length === 0) return;
  const list = alive.map(({ pid, command }) => `${pid} ${command}`).join('; ');
  throw new OutliveError(
    'NOT_STOPPED',
    `expected every process of ${taskId} to end; found alive: ${list}. Nothing was started in its place. End these processes and try again.`,
    { details: { taskId, pids: alive.map(({ pid }) => pid) } },
  );
}

import { OutliveError } from '../../errors/error.ts';
import type { StopCause } from '../../model/words.ts';
import { after } from '../../util/wait.ts';
import { background, report } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { stopTask } from './stop.ts';

/** A process that cannot stop a task now, because it lacks descriptors or memory, tries again after this time. */
const againMs = 1_000;

/** Stops a task because it reached a limit, with the grace of its spawn. No caller waits for it. */
export function enforce(context: SessionContext, taskId: string, cause: StopCause): void {
  const key = `${cause} ${taskId}`;
  // It checks bindings each second, and one attempt at a time is enough.
  if (context.enforcing.has(key)) return;
  context.enforcing.add(key);
  const work = attempt(context, taskId, cause).catch((error: unknown) => {
    if (isFinal(error) || context.closed) return;
    report(context, 'enforcing a limit', error, { taskId });
    after(againMs, () => context.live.has(taskId) && enforce(context, taskId, cause));
  });
  background(
    context,
    'enforcing a limit',
    work.finally(() => context.enforcing.delete(key)),
    taskId,
  );
}

async function attempt(context: SessionContext, taskId: string, cause: StopCause): Promise<void> {
  await stopTask(context, taskId, { cause, graceMs: null, killSignal: 'SIGTERM' });
}

/** There is nothing to stop, or not from here. */
function isFinal(error: unknown): boolean {
  return error instanceof OutliveError && error.code !== 'READ_FAILED';
}

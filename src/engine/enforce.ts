import { OutliveError } from '../errors/error.ts';
import { defaults } from '../model/limits.ts';
import type { StopCause } from '../model/words.ts';
import { after } from '../util/wait.ts';
import { background } from './background.ts';
import type { SessionContext } from './context.ts';
import { observe } from './observe.ts';
import { stopTask } from './stop.ts';

/** Who cannot stop a task now, for want of descriptors or memory, tries again after this time. */
const againMs = 1_000;

/** Stops a task because a limit is reached, with the grace that was asked for at its spawn. Nobody waits for it. */
export function enforce(context: SessionContext, taskId: string, cause: StopCause): void {
  const key = `${cause} ${taskId}`;
  // Bonds are looked at each second, and one attempt at a time is enough.
  if (context.enforcing.has(key)) return;
  context.enforcing.add(key);
  const work = attempt(context, taskId, cause).catch((error: unknown) => {
    if (isFinal(error) || context.closed) return;
    after(againMs, () => context.live.has(taskId) && enforce(context, taskId, cause));
  });
  background(work.finally(() => context.enforcing.delete(key)));
}

async function attempt(context: SessionContext, taskId: string, cause: StopCause): Promise<void> {
  const graceMs = observe(context, taskId)?.facts.spec?.graceMs ?? defaults.graceMs;
  await stopTask(context, taskId, { cause, graceMs, killSignal: 'SIGTERM' });
}

/** There is nothing to stop, or not from here. */
function isFinal(error: unknown): boolean {
  return error instanceof OutliveError && error.code !== 'READ_FAILED';
}

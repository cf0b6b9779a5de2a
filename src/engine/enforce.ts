import { defaults } from '../model/limits.ts';
import type { StopCause } from '../model/words.ts';
import { background } from './background.ts';
import type { SessionContext } from './context.ts';
import { observe } from './observe.ts';
import { stopTask } from './stop.ts';

/** Stops a task because a limit is reached, with the grace that was asked for at its spawn. Nobody waits for it. */
export function enforce(context: SessionContext, taskId: string, cause: StopCause): void {
  const graceMs = observe(context, taskId)?.facts.spec?.graceMs ?? defaults.graceMs;
  background(stopTask(context, taskId, { cause, graceMs, killSignal: 'SIGTERM' }));
}

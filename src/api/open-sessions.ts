import type { SessionContext } from '../engine/context.ts';
import { OutputLimits } from '../engine/limits.ts';
import { look } from '../engine/look.ts';

const limitsOf = new WeakMap<SessionContext, OutputLimits>();

/** The watch over the output of a session's tasks: one for each context. */
export function outputLimits(context: SessionContext): OutputLimits {
  const limits = limitsOf.get(context) ?? new OutputLimits(context);
  limitsOf.set(context, limits);
  return limits;
}

/** Looks at a task of an open session; what is our own child and runs needs none. */
export async function lookAgain(context: SessionContext, taskId: string): Promise<void> {
  const live = context.live.get(taskId);
  if (live?.own === true && live.reaped === null) return;
  await look(context, outputLimits(context), taskId);
}

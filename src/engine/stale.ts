import type { Facts } from '../model/fold.ts';
import type { LiveTask, SessionContext } from './context.ts';
import { enforce } from './enforce.ts';

/** Stops a task that another process has spawned, if it has run for as long as the session allows adopted tasks. */
export function stopIfStale(context: SessionContext, live: LiveTask, { spec, started, stop }: Facts): void {
  const { staleAfterMs } = context.limits;
  if (staleAfterMs === null || live.own || spec === undefined || stop !== undefined) return;
  const elapsed = started === undefined ? 0 : Date.now() - started.at;
  if (elapsed >= staleAfterMs) enforce(context, live.id, 'stale');
}

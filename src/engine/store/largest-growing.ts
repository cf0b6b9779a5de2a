import { statSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../../tasklog/files.ts';
import { taskIdPattern } from '../../tasklog/paths.ts';
import type { SessionContext, StoreContext } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { sessionContexts } from './store-sessions.ts';

/** The live task that fills the disk, most likely. */
export interface Growing {
  readonly taskId: string;
  readonly sessionId: string;
  /** Written so far, both streams together. */
  readonly bytes: number;
}

/** A task that has written within that time grows; when none has, the largest of all counts. */
const growsWithinMs = 60_000;

interface Candidate extends Growing {
  readonly context: SessionContext;
  readonly isGrowing: boolean;
}

const idLength = 'bgb-123456781234'.length;

/** The live task of a store with the most output, of those that have written lately; null without any. */
export function largestGrowing(store: StoreContext): Growing | null {
  const candidates = [...sessionContexts(store)].flatMap(outputs);
  candidates.sort((a, b) => Number(b.isGrowing) - Number(a.isGrowing) || b.bytes - a.bytes);
  const largest = candidates.find(isLive);
  if (largest === undefined) return null;
  const { taskId, sessionId, bytes } = largest;
  return { taskId, sessionId, bytes };
}

function outputs(context: SessionContext): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const name of namesIn(context.paths.output)) {
    const taskId = name.slice(0, idLength);
    if (!taskIdPattern.test(taskId) || !/\.(out|err)$/.test(name)) continue;
    const stat = statSync(join(context.paths.output, name), { throwIfNoEntry: false });
    if (stat === undefined || stat.size === 0) continue;
    const known = found.get(taskId);
    const isGrowing = known?.isGrowing === true || Date.now() - stat.mtimeMs < growsWithinMs;
    const bytes = (known?.bytes ?? 0) + stat.size;
    found.set(taskId, { taskId, sessionId: context.sessionId, bytes, context, isGrowing });
  }
  return [...found.values()];
}

function isLive({ context, taskId }: Candidate): boolean {
  const observed = observe(context, taskId);
  return observed?.decision.state === 'live';
}

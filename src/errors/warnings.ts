import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

/** An unexpected failure in work that no caller waits for. */
export interface OutliveWarning {
  /** What outlive was doing, such as `checking a task`. */
  readonly doing: string;
  readonly error: unknown;
  /** The folder of the store; null: not of one store. */
  readonly dir: string | null;
  readonly sessionId: string | null;
  readonly taskId: string | null;
}

/** What is known of a warning where it comes from. */
export type WarningFacts = Pick<OutliveWarning, 'doing' | 'error'> & Partial<OutliveWarning>;

/** Takes a warning, or leaves it to others: it says which. */
export type WarningListener = (warning: OutliveWarning) => boolean;

/** Subscribers get each warning as the message. Held here: a channel that nobody holds is forgotten. */
const warnings = channel('outlive:warning');
const debug = debuglog('outlive');
const listeners = new Set<WarningListener>();

/** What is tried again each second is told again after this time, in milliseconds. */
const againMs = 60_000;
const mostRemembered = 1_000;
const toldAt = new Map<string, number>();

/**
 * Tells the subscribers of the channel, the listeners, and `NODE_DEBUG=outlive`. When there are none, it is a warning of
 * the process, which Node prints.
 */
export function warn(facts: WarningFacts): void {
  const warning: OutliveWarning = { dir: null, sessionId: null, taskId: null, ...facts };
  debug('%s: %s', sayWarning(warning), stackOf(warning.error));
  if (!isNews(warning)) return;
  const isHeard = warnings.hasSubscribers;
  warnings.publish(warning);
  let isTaken = false;
  for (const listener of [...listeners]) isTaken = tell(listener, warning) || isTaken;
  if (!isTaken && !isHeard)
    process.emitWarning(sayWarning(warning), { type: 'OutliveWarning', detail: stackOf(warning.error) });
}

/** Hands every warning to a listener, until the returned function is called. */
export function onWarning(listener: WarningListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A warning in one line, for people. */
export function sayWarning({ doing, error, taskId }: OutliveWarning): string {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `${doing}${taskId === null ? '' : ` (${taskId})`} failed: ${what.replace(/\s*\n\s*/g, ' ')}`;
}

/** What a listener throws is a mistake of the listener, not of the code that warns. */
function tell(listener: WarningListener, warning: OutliveWarning): boolean {
  try {
    return listener(warning);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
    return true;
  }
}

function isNews(warning: OutliveWarning): boolean {
  const key = `${warning.dir} ${warning.taskId} ${sayWarning(warning)}`;
  const last = toldAt.get(key);
  if (last !== undefined && performance.now() - last < againMs) return false;
  if (toldAt.size >= mostRemembered) toldAt.clear();
  toldAt.set(key, performance.now());
  return true;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

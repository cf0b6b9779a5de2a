import { StoreMonitor } from '../engine/monitor/monitor.ts';
import { Outbox, type StoreChange } from '../engine/monitor/outbox.ts';
import type { StoreContext } from '../engine/session/context.ts';
import { checkAbortSignal, checkFlag, checkNumber, checkSessionId } from '../engine/session/validate.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { bounds } from '../model/limits.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';

/** What to watch of a store. */
export interface StoreWatchOptions {
  /** Only this session, which need not be there yet. @default all */
  readonly sessionId?: string;
  /** Only tasks that have not ended. The end of one that was told is told as well, and nothing after that. @default false */
  readonly live?: boolean;
  /**
   * Bytes of output in the snapshots. 0: none is read, and output that grows is no change, which costs least. Else a task
   * that has written more is told once a second. @default 0
   */
  readonly previewBytes?: number;
  /**
   * Also tell what the tasks that are told use: CPU and memory of their whole trees, and the ports at which they listen, every two seconds. The processes of the
   * machine are listed once for all who watch in this process, and less often where that takes more than 2 % of a core.
   * @default false
   */
  readonly usage?: boolean;
  /** Ends the iteration without an error. */
  readonly abortSignal?: AbortSignal;
}

const storeWatchOptionNames: OptionNames<StoreWatchOptions> = {
  sessionId: true,
  live: true,
  previewBytes: true,
  usage: true,
  abortSignal: true,
};

/** What is told of a store: first a `snapshot`, then each change. */
export type StoreEvent =
  | {
      readonly type: 'snapshot';
      /** The ids of the sessions, sorted. */
      readonly sessions: readonly string[];
      /** The oldest first. */
      readonly tasks: readonly TaskSnapshot[];
    }
  | StoreChange;

/** What `store.watch()` does, and throws the same. */
export async function* watchStore(
  store: StoreContext,
  options: StoreWatchOptions,
): AsyncGenerator<StoreEvent, void, undefined> {
  const {
    sessionId,
    live = false,
    previewBytes = 0,
    usage = false,
    abortSignal,
  } = checkOptions('store.watch()', options, storeWatchOptionNames);
  if (sessionId !== undefined) checkSessionId(sessionId);
  checkFlag('live', live);
  checkNumber('previewBytes', previewBytes, 0, bounds.previewBytes);
  checkFlag('usage', usage);
  checkAbortSignal(abortSignal);
  if (abortSignal?.aborted) return;
  const outbox = new Outbox();
  const watched = { sessionId: sessionId ?? null, live, previewBytes, usage };
  const monitor = new StoreMonitor(store, watched, (change) => outbox.put(change));
  try {
    yield { type: 'snapshot', ...(await monitor.start()) };
    while (!abortSignal?.aborted) {
      const change = outbox.take();
      if (change === undefined) await outbox.next(abortSignal);
      else yield change;
    }
  } finally {
    monitor.close();
  }
}

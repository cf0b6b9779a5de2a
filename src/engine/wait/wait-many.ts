import { OutliveError } from '../../errors/error.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { firstOf } from '../../util/abort.ts';
import { answer } from '../completions/deliver.ts';
import type { SessionContext } from '../session/context.ts';
import { takeSnapshot } from '../session/observe.ts';
import { waitFor } from './wait-for.ts';
import type { WaitForOptions, WaitForResult } from './wait-for-options.ts';

/** What the wait for one of several tasks ended with. */
export interface WaitAnyResult {
  /** The first thing that happened; its snapshot says to which task. `null`: the time was up. */
  readonly first: WaitForResult | null;
  /** All the tasks as they are then, in the order given, without those that were removed. */
  readonly snapshots: readonly TaskSnapshot[];
}

/** Waits for something to happen to one of some tasks. Nothing that happens to another one is acknowledged. */
export async function waitAny(
  context: SessionContext,
  taskIds: readonly string[],
  options: WaitForOptions,
): Promise<WaitAnyResult> {
  const ids = [...new Set(taskIds)];
  if (ids.length === 0) {
    throw new OutliveError('INVALID_ARGUMENT', 'expected at least one task to wait for; found none.');
  }
  const { over, abortSignal } = abortable(options);
  let winner: string | null = null;
  const waits = ids.map((id) =>
    waitFor(context, id, { ...options, abortSignal }, () => {
      winner ??= id;
      return winner === id;
    }),
  );
  try {
    const first = await firstAnswer(waits);
    const snapshots = ids.map((id) =>
      id === first?.snapshot.taskId ? first.snapshot : takeSnapshot(context, id),
    );
    return { first, snapshots: snapshots.filter((snapshot) => snapshot !== null) };
  } finally {
    over.abort();
  }
}

/** Waits for something to happen to each of some tasks. */
export async function waitAll(
  context: SessionContext,
  taskIds: readonly string[],
  options: WaitForOptions,
): Promise<WaitForResult[]> {
  const { over, abortSignal } = abortable(options);
  // A wait that fails in the end, or a process that dies, must not have acknowledged an end that no caller got.
  const each = { ...options, abortSignal, ack: false };
  const results = await Promise.all(taskIds.map((id) => waitFor(context, id, each))).finally(() =>
    over.abort(),
  );
  if (options.ack === false) return results;
  return results.map((result) => {
    if (result.cause !== 'exit') return result;
    return { ...result, snapshot: answer(context, result.snapshot, true) };
  });
}

/** A signal that ends all waits, by the caller's wish or when they are over. */
function abortable(options: WaitForOptions): { over: AbortController; abortSignal: AbortSignal } {
  const over = new AbortController();
  return { over, abortSignal: firstOf(over.signal, options.abortSignal) };
}

/** The first result that is no timeout; null when all are. */
function firstAnswer(waits: readonly Promise<WaitForResult>[]): Promise<WaitForResult | null> {
  let left = waits.length;
  return new Promise((resolve, reject) => {
    for (const wait of waits) {
      wait.then((result) => {
        left -= 1;
        if (result.cause !== 'timeout') resolve(result);
        else if (left === 0) resolve(null);
      }, reject);
    }
  });
}

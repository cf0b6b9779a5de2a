import { type SpawnOptions, spawnOptionNames } from '../engine/spawn/spawn-request.ts';
import type { OptionNames } from '../errors/check-options.ts';
import type { EndedSnapshot, LiveSnapshot } from '../model/snapshot.ts';
import type { OutputChunk } from './output.ts';
import type { Task } from './task.ts';

/** How to start a task, and what becomes of it when its handle goes out of scope. */
export interface ScopedSpawnOptions extends SpawnOptions {
  /**
   * `await using task = await session.spawn(...)` stops the task, whole, at the end of the scope. The task still outlives
   * this process when that dies before: add `bindTo` where it must not. @default false
   */
  readonly stopAtEndOfScope?: boolean;
}

/** The options of {@link ScopedSpawnOptions}. */
export const scopedSpawnOptionNames: OptionNames<ScopedSpawnOptions> = {
  ...spawnOptionNames,
  stopAtEndOfScope: true,
};

/** How to run a command in the foreground for a while. */
export interface RunOptions extends SpawnOptions {
  /** How long the call waits for the end. After that the task continues in the background. @default 10000 */
  readonly waitMs?: number;
  /** Bytes of output that come with the answer. @default 65536 */
  readonly maxBytes?: number;
  /**
   * Whether the answer, if the task has ended, counts as the delivery of the completion, so that it is delivered nowhere
   * else.
   * @default true
   */
  readonly ack?: boolean;
  /** Ends the waiting with the signal's reason as error; the task goes on. */
  readonly abortSignal?: AbortSignal;
}

/** The options of {@link RunOptions}. */
export const runOptionNames: OptionNames<RunOptions> = {
  ...spawnOptionNames,
  waitMs: true,
  maxBytes: true,
  ack: true,
  abortSignal: true,
};

/** What `run` answers, by `ended`: the result, or a task that goes on. */
export type RunResult = RunFields &
  (
    | { readonly ended: true; readonly snapshot: EndedSnapshot }
    | { readonly ended: false; readonly snapshot: LiveSnapshot }
  );

interface RunFields {
  readonly task: Task;
  /** Whether it ended in time. Then its completion counts as delivered, unless `ack` is `false`. */
  readonly ended: boolean;
  /** The end of what it has written so far. */
  readonly output: OutputChunk;
}

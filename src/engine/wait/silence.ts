import { statSync } from 'node:fs';
import { taskPaths } from '../../tasklog/paths.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { SessionContext } from '../session/context.ts';

/**
 * For how long a task has written nothing. The times are those of its files, which begin when it is spawned;
 * what was seen once is counted by the clock of the process, so that a step of the wall clock does no harm.
 */
export class Silence {
  readonly #paths: readonly string[];
  #modifiedAt = 0;
  /** When the last write was, in milliseconds of `monotonicMs()`. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(context: SessionContext, taskId: string) {
    const { stdout, stderr } = taskPaths(context.paths, taskId);
    this.#paths = [stdout, stderr];
  }

  /** Checks the files; returns the milliseconds since the last write. */
  look(): number {
    const now = monotonicMs();
    const modifiedAt = Math.max(0, ...this.#paths.map(modifiedTime));
    if (modifiedAt !== this.#modifiedAt) {
      this.#modifiedAt = modifiedAt;
      // It was written after the last look, whatever the clocks say, and not in the future.
      this.#since = Math.max(this.#since, now - Math.max(0, Date.now() - modifiedAt));
    }
    return now - this.#since;
  }
}

function modifiedTime(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

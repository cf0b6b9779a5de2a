import { type FSWatcher, watch } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { taskIdPattern } from '../../tasklog/paths.ts';
import { monotonicMs } from '../../util/wait.ts';
import { unwatched } from '../session/background.ts';

/** More events than this within a second: then tasks write much, and reading sizes costs less. */
const mostEvents = 100;
const windowMs = 1_000;

/** How long it rests after that. */
const restMs = 5_000;

const idLength = 'bgb-123456781234'.length;

/**
 * A watch on a session's output folder, to learn that something grows without asking again and again. It costs nothing
 * while tasks are quiet, and rests when they are not.
 */
export class GrowthWatch {
  readonly #folder: string;
  readonly #onGrowth: (taskId: string) => void;
  readonly #onLost: () => void;
  #watcher: FSWatcher | undefined;
  #windowEnds = 0;
  #events = 0;
  #restsUntil = 0;

  constructor(folder: string, onGrowth: (taskId: string) => void, onLost: () => void) {
    this.#folder = folder;
    this.#onGrowth = onGrowth;
    this.#onLost = onLost;
  }

  /** Whether growth would be told. */
  get isArmed(): boolean {
    return this.#watcher !== undefined;
  }

  /** Begins to watch, unless it rests. The caller must check after that what is being written now. */
  arm(): void {
    if (this.#watcher !== undefined || monotonicMs() < this.#restsUntil) return;
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, (_event, name) => this.#see(name));
      this.#watcher.on('error', () => this.#lose());
    } catch (error) {
      // No watches left, or none on this system: it reads sizes instead.
      tolerate(error, unwatched, 'watching output');
      this.#restsUntil = monotonicMs() + restMs;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #see(name: string | null): void {
    const time = monotonicMs();
    if (time > this.#windowEnds) {
      this.#windowEnds = time + windowMs;
      this.#events = 0;
    }
    this.#events += 1;
    const taskId = name?.slice(0, idLength);
    if (this.#events > mostEvents || taskId === undefined) this.#lose();
    else if (taskIdPattern.test(taskId)) this.#onGrowth(taskId);
  }

  #lose(): void {
    this.close();
    this.#restsUntil = monotonicMs() + restMs;
    this.#onLost();
  }
}

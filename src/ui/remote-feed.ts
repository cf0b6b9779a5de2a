import { OutliveError } from '../errors/error.ts';
import { report } from '../tools/delivery/report.ts';
import type { FleetLink } from '../tools/fleet/fleet-link.ts';
import { holdProcess } from '../util/wait.ts';
import type { Failure, TaskRow, TasksData } from './protocol.ts';
import { remoteRowOf } from './remote-tasks.ts';

/** The pauses between two lists of the fleet, in milliseconds: the pause doubles while nothing changes. */
const shortestMs = 1_000;
const longestMs = 15_000;

/** How many tasks of the fleet it shows: a page keeps all of them. */
const mostTasks = 5_000;

/** How many rows one message has. */
const rowsAtOnce = 100;

/**
 * What the pages of a server are told about the tasks on other hosts. All pages share one list, which is refreshed
 * while a page is connected. It begins with the first page, and so does the connection to the fleet.
 */
export class RemoteFeed {
  readonly #link: FleetLink;
  readonly #rows = new Map<string, TaskRow>();
  readonly #viewers = new Set<Viewer>();
  #trouble: Failure | null = null;
  #endPause = (): void => undefined;
  #isAsking = false;

  constructor(link: FleetLink) {
    this.#link = link;
  }

  /**
   * Tells the tasks to one page until it is gone. If the fleet cannot be asked, the page is told why, and it goes on.
   */
  async *tasks(abortSignal: AbortSignal): AsyncGenerator<TasksData, void, undefined> {
    const viewer = new Viewer(this.#rows, this.#trouble);
    this.#viewers.add(viewer);
    this.#begin();
    const release = holdProcess();
    try {
      while (!abortSignal.aborted) {
        const data = viewer.take();
        if (data !== undefined) yield data;
        else await viewer.next(abortSignal);
      }
    } finally {
      release();
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#endPause();
    }
  }

  /** Asks for changes soon, since a page has acted on a task. */
  look(): void {
    this.#endPause();
  }

  #begin(): void {
    this.#endPause();
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#askForGood()
      .catch((error: unknown) => report('listing the tasks of the fleet', error))
      .finally(() => {
        this.#isAsking = false;
      });
  }

  async #askForGood(): Promise<void> {
    for (let pauseMs = shortestMs; this.#viewers.size > 0; ) {
      const hasChanged = await this.#ask();
      pauseMs = hasChanged ? shortestMs : Math.min(longestMs, pauseMs * 2);
      if (await this.#pause(pauseMs)) pauseMs = shortestMs;
    }
  }

  /** @returns whether something has changed. */
  async #ask(): Promise<boolean> {
    try {
      const found = await this.#list();
      this.#tellTrouble(null);
      return this.#take(found);
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      this.#tellTrouble({ code: error.code, message: error.message });
      return false;
    }
  }

  async #list(): Promise<Map<string, TaskRow>> {
    const found = new Map<string, TaskRow>();
    const fleet = await this.#link.fleet();
    for await (const task of fleet.tasks({})) {
      const row = remoteRowOf(task);
      found.set(row.taskId, row);
      if (found.size >= mostTasks) break;
    }
    return found;
  }

  #take(found: ReadonlyMap<string, TaskRow>): boolean {
    const changed = new Map<string, TaskRow | null>();
    for (const taskId of this.#rows.keys()) if (!found.has(taskId)) changed.set(taskId, null);
    for (const [taskId, row] of found)
      if (JSON.stringify(row) !== JSON.stringify(this.#rows.get(taskId))) changed.set(taskId, row);
    this.#rows.clear();
    for (const [taskId, row] of found) this.#rows.set(taskId, row);
    if (changed.size > 0) for (const viewer of this.#viewers) viewer.put(changed);
    return changed.size > 0;
  }

  #tellTrouble(trouble: Failure | null): void {
    const isNews = trouble?.message !== this.#trouble?.message;
    this.#trouble = trouble;
    if (isNews) for (const viewer of this.#viewers) viewer.putTrouble(trouble);
  }

  /** @returns whether the pause was cut short. */
  async #pause(ms: number): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      timer.unref();
      this.#endPause = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** What one page has not taken yet: of each task only the newest. */
class Viewer {
  /** Null: the task is gone. */
  readonly #changed: Map<string, TaskRow | null>;
  #trouble: { readonly error: Failure | null } | null;
  #wake = (): void => undefined;

  constructor(rows: ReadonlyMap<string, TaskRow>, trouble: Failure | null) {
    this.#changed = new Map(rows);
    this.#trouble = trouble === null ? null : { error: trouble };
  }

  put(changed: ReadonlyMap<string, TaskRow | null>): void {
    for (const [taskId, row] of changed) this.#changed.set(taskId, row);
    this.#wake();
  }

  putTrouble(error: Failure | null): void {
    this.#trouble = { error };
    this.#wake();
  }

  take(): TasksData | undefined {
    if (this.#trouble !== null) {
      const { error } = this.#trouble;
      this.#trouble = null;
      return { kind: 'fleet', error };
    }
    const tasks: TaskRow[] = [];
    for (const [taskId, row] of this.#changed) {
      if (row === null && tasks.length > 0) break;
      this.#changed.delete(taskId);
      if (row === null) return { kind: 'gone', taskId };
      tasks.push(row);
      if (tasks.length >= rowsAtOnce) break;
    }
    return tasks.length === 0 ? undefined : { kind: 'tasks', tasks };
  }

  /** Resolves when there may be something, or when aborted. */
  async next(abortSignal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        abortSignal.removeEventListener('abort', this.#wake);
        resolve();
      };
      abortSignal.addEventListener('abort', this.#wake);
      if (abortSignal.aborted) this.#wake();
    });
  }
}

/**
 * The items of both sources, as they come, until both have ended. A caller that stops early must abort the sources as
 * well.
 */
export async function* merged<T>(
  ...sources: readonly AsyncGenerator<T, void, undefined>[]
): AsyncGenerator<T, void, undefined> {
  const next = (source: AsyncGenerator<T, void, undefined>) => {
    const coming = source.next().then((result) => ({ source, result }));
    // It may fail while nobody waits for it. A page that reads slowly gets the error later.
    coming.catch(() => undefined);
    return coming;
  };
  const waiting = new Map(sources.map((source) => [source, next(source)]));
  try {
    while (waiting.size > 0) {
      const { source, result } = await Promise.race(waiting.values());
      waiting.delete(source);
      if (result.done) continue;
      waiting.set(source, next(source));
      yield result.value;
    }
  } finally {
    // A source that waits for its next value ends only when that has come. This does not wait for it.
    for (const source of waiting.keys()) source.return().catch(reportUnexpected);
  }
}

/** The reader has gone, so a failure of a source is a warning. */
function reportUnexpected(error: unknown): void {
  if (!(error instanceof OutliveError)) report('ending a list of tasks', error, null);
}

import { OutliveError } from '../errors/error.ts';
import { report } from '../tools/delivery/report.ts';
import type { FleetLink } from '../tools/fleet/fleet-link.ts';
import { holdProcess } from '../util/wait.ts';
import type { Failure, TaskRow, TasksData } from './protocol.ts';
import { remoteRowOf } from './remote-tasks.ts';

/** The list of the fleet is asked for after this time, and after a longer one each time when nothing has changed, in milliseconds. */
const shortestMs = 1_000;
const longestMs = 15_000;

/** So many tasks of the fleet are shown: a page keeps all of them. */
const mostTasks = 5_000;

/** So many rows are in one message. */
const rowsAtOnce = 100;

/**
 * What the pages of a server are told of the tasks on other hosts. All pages share one list, which is asked for while one of them is
 * there. It begins with the first page, and so does the connection to the fleet.
 */
export class RemoteFeed {
  readonly #link: FleetLink;
  readonly #rows = new Map<string, TaskRow>();
  readonly #listeners = new Set<(data: TasksData) => void>();
  #trouble: Failure | null = null;
  #endPause = (): void => undefined;
  #isAsking = false;

  constructor(link: FleetLink) {
    this.#link = link;
  }

  /** Tells it to one page until it is gone. What cannot be asked is told, and is no end. */
  async *tasks(abortSignal: AbortSignal): AsyncGenerator<TasksData, void, undefined> {
    const waiting: TasksData[] = [...inParts([...this.#rows.values()]), ...this.#troubleData()];
    let wake = (): void => undefined;
    const listener = (data: TasksData): void => {
      waiting.push(data);
      wake();
    };
    this.#listeners.add(listener);
    this.#begin();
    abortSignal.addEventListener('abort', () => wake());
    const release = holdProcess();
    try {
      while (!abortSignal.aborted) {
        const data = waiting.shift();
        if (data !== undefined) yield data;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      release();
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#endPause();
    }
  }

  /** Something was done with a task: what has changed is asked for soon. */
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
    for (let pauseMs = shortestMs; this.#listeners.size > 0; ) {
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
    const changed: TaskRow[] = [];
    for (const [taskId, row] of found)
      if (JSON.stringify(row) !== JSON.stringify(this.#rows.get(taskId))) changed.push(row);
    const gone = [...this.#rows.keys()].filter((taskId) => !found.has(taskId));
    this.#rows.clear();
    for (const [taskId, row] of found) this.#rows.set(taskId, row);
    for (const data of inParts(changed)) this.#tell(data);
    for (const taskId of gone) this.#tell({ kind: 'gone', taskId });
    return changed.length > 0 || gone.length > 0;
  }

  #tellTrouble(trouble: Failure | null): void {
    const isNews = trouble?.message !== this.#trouble?.message;
    this.#trouble = trouble;
    if (isNews) this.#tell({ kind: 'fleet', error: trouble });
  }

  #troubleData(): TasksData[] {
    return this.#trouble === null ? [] : [{ kind: 'fleet', error: this.#trouble }];
  }

  #tell(data: TasksData): void {
    for (const listener of [...this.#listeners]) listener(data);
  }

  /** @returns whether it was ended before its time. */
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

function inParts(rows: readonly TaskRow[]): TasksData[] {
  const parts: TasksData[] = [];
  for (let at = 0; at < rows.length; at += rowsAtOnce)
    parts.push({ kind: 'tasks', tasks: rows.slice(at, at + rowsAtOnce) });
  return parts;
}

/** What comes of both, as it comes, until both have ended. */
export async function* merged<T>(
  ...sources: readonly AsyncGenerator<T, void, undefined>[]
): AsyncGenerator<T, void, undefined> {
  const next = async (source: AsyncGenerator<T, void, undefined>) => ({
    source,
    result: await source.next(),
  });
  const waiting = new Map(sources.map((source) => [source, next(source)]));
  while (waiting.size > 0) {
    const { source, result } = await Promise.race(waiting.values());
    waiting.delete(source);
    if (result.done) continue;
    waiting.set(source, next(source));
    yield result.value;
  }
}

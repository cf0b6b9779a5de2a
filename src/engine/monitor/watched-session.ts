import { statSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { doneLogs } from '../../tasklog/done.ts';
import { namesIn } from '../../tasklog/files.ts';
import { logPath, taskIdOfEvent, taskIdOfFile } from '../../tasklog/paths.ts';
import type { MeasuredTask } from '../processes/usage-sampler.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';
import { describe, type Observed, observe } from '../session/observe.ts';
import { type Events, FolderWatch } from './folder-watch.ts';
import { type Known, knownOf, logStateNow, mayHaveChanged, textOf } from './known-task.ts';
import type { StoreChange } from './outbox.ts';

/** What is told of tasks. */
export interface Told {
  /** Only tasks that have not ended, and the end of each that was told. */
  readonly live: boolean;
  readonly previewBytes: number;
}

/** The tasks of one session as they were told last, and which of them need a check. */
export class WatchedSession {
  readonly context: SessionContext;
  readonly #told: Told;
  readonly #folder: FolderWatch;
  readonly #known = new Map<string, Known>();
  readonly #dirty = new Set<string>();
  readonly #identity: string;
  #isListed = false;

  /** @param happened called when a check is due. */
  constructor(context: SessionContext, told: Told, events: Events, happened: () => void) {
    this.context = context;
    this.#told = told;
    this.#identity = identityOf(context.paths.dir);
    this.#folder = new FolderWatch(context, context.paths.tasks, {
      events,
      happened: (name) => {
        const taskId = name === null ? null : taskIdOfEvent(name);
        if (taskId !== null) this.#dirty.add(taskId);
        else if (name === null) this.#isListed = false;
        else return;
        happened();
      },
    });
  }

  /** Whether the folder of its logs is there, and watched where that is possible. */
  get isThere(): boolean {
    return this.#folder.isThere;
  }

  /** Whether its folder is the one that it was, and no other that was made in its place. */
  get isSame(): boolean {
    return identityOf(this.context.paths.dir) === this.#identity;
  }

  /** The tasks to check now. From now on they count as checked. */
  takeDirty(): string[] {
    if (!this.#isListed || !this.isThere) this.#list();
    const ids = [...this.#dirty];
    this.#dirty.clear();
    return ids;
  }

  /**
   * Call it once a second.
   * @param isWhole it checks all tasks for changes that no event reports, or whose events were lost.
   * @returns whether a task must be checked.
   */
  beat(isWhole: boolean): boolean {
    if (isWhole || !this.#isListed || !this.#folder.isTold) this.#list();
    for (const [taskId, known] of this.#known)
      if (isWhole ? this.#isToBeSeen(taskId, known) : mayHaveChanged(known, this.#told.previewBytes))
        this.#dirty.add(taskId);
    return this.#dirty.size > 0;
  }

  /** A live task may be suspended or silent; no log records that. */
  #isToBeSeen(taskId: string, { isLive, isPutAway, log }: Known): boolean {
    return isLive || (!isPutAway && this.#logNow(taskId) !== log);
  }

  /** Finds the logs to check. */
  #list(): void {
    try {
      const seen = this.#folder.look();
      const isCompared = seen === 'new' || !this.#isListed || !this.#folder.isTold;
      if (seen !== 'same' || isCompared) this.#compare(isCompared);
      this.#isListed = true;
    } catch (error) {
      // The next beat tries again.
      tolerate(error, passing, 'listing the tasks of a session');
      this.#isListed = false;
    }
  }

  /** Which logs have come or gone; with `sizes`, which have changed as well. */
  #compare(sizes: boolean): void {
    const seen = new Set<string>();
    for (const name of namesIn(this.context.paths.tasks)) {
      const taskId = taskIdOfEvent(name);
      if (taskId === null) continue;
      if (taskIdOfFile(name) !== null) seen.add(taskId);
      const known = this.#known.get(taskId);
      const isSame = sizes && known !== undefined && known.log === this.#logNow(taskId);
      if (known === undefined || taskIdOfFile(name) === null || (sizes && !isSame)) this.#dirty.add(taskId);
    }
    if (sizes && !this.#told.live) this.#compareDone(seen);
    for (const [taskId, { isPutAway }] of this.#known)
      if (!seen.has(taskId) && (sizes || !isPutAway)) this.#dirty.add(taskId);
  }

  /** Which logs were put away since the last check; the others are only seen. */
  #compareDone(seen: Set<string>): void {
    for (const { taskId } of doneLogs(this.context.paths)) {
      seen.add(taskId);
      if (this.#known.get(taskId)?.isPutAway !== true) this.#dirty.add(taskId);
    }
  }

  #logNow(taskId: string): string {
    return logStateNow(logPath(this.context.paths, taskId));
  }

  /**
   * Checks a task.
   * @returns what has changed; `null` if there is nothing to tell.
   */
  look(taskId: string): StoreChange | null {
    const { context } = this;
    const known = this.#known.get(taskId);
    const seen = this.#observe(taskId);
    if (seen === 'unreadable') return null;
    if (seen === null) {
      this.#known.delete(taskId);
      const isTold = known !== undefined && known.told !== null;
      return isTold ? { type: 'gone', taskId, sessionId: context.sessionId } : null;
    }
    const { previewBytes, live } = this.#told;
    const { task, observed } = seen;
    const now = knownOf(task, observed);
    this.#known.set(taskId, now);
    // The end of one that was told as live is told, and nothing after that.
    const isTold = !live || now.isLive || (known?.isLive === true && known.told !== null);
    const told = isTold ? textOf(task, previewBytes) : null;
    now.told = live && !now.isLive ? null : told;
    if (live && now.isPutAway) this.#known.delete(taskId);
    return told === null || told === known?.told ? null : { type: 'changed', task };
  }

  /** It checks again what it cannot read now. */
  #observe(
    taskId: string,
  ): { readonly observed: Observed; readonly task: TaskSnapshot } | null | 'unreadable' {
    const { context } = this;
    try {
      const observed = observe(context, taskId);
      if (observed === null) return null;
      return {
        observed,
        task: describe(context, taskId, observed, { previewBytes: this.#told.previewBytes }),
      };
    } catch (error) {
      tolerate(error, passing, 'checking a task');
      this.#dirty.add(taskId);
      return 'unreadable';
    }
  }

  /** The tasks that were told and may have processes. */
  *measured(): Generator<MeasuredTask> {
    for (const { told, measured } of this.#known.values())
      if (told !== null && measured !== null) yield measured;
  }

  /**
   * Takes the list of suspended tasks, which no event reports.
   * @returns whether a task must be checked.
   */
  compareSuspended(suspended: ReadonlySet<string>): boolean {
    for (const [taskId, { isLive, measured, isSuspended }] of this.#known)
      if (isLive && measured !== null && isSuspended !== suspended.has(taskId)) this.#dirty.add(taskId);
    return this.#dirty.size > 0;
  }

  /** Everything that was told of it is gone. */
  *remove(): Generator<StoreChange> {
    this.close();
    for (const [taskId, { told }] of this.#known)
      if (told !== null) yield { type: 'gone', taskId, sessionId: this.context.sessionId };
  }

  close(): void {
    this.#folder.close();
  }
}

/** A number alone may be given again to the next folder. */
function identityOf(dir: string): string {
  try {
    const stat = statSync(dir, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.birthtimeMs}`;
  } catch (error) {
    tolerate(error, passing, 'checking the folder of a session');
    return '';
  }
}

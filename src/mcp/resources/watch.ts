import { after } from '../../util/wait.ts';
import { report, send } from '../report.ts';
import { outputUri, taskUri } from './uris.ts';

/** After a failure a session is watched again so much later. */
const againMs = 1_000;

/** What tasks are in, as far as it is watched here. */
export interface WatchedTasks {
  readonly session: { readonly id: string };
  /** The ids of the tasks that there are, and then of each one that has changed. */
  changes(abortSignal: AbortSignal): AsyncIterable<string>;
}

/** Tells of changes of the resources that somebody has subscribed to. While nobody has, no session is watched. */
export class ResourceWatch {
  readonly #stateOf: (uri: string) => string | null;
  readonly #changed: (uri: string) => void;
  /** Each resource: by whom it is watched, and how it was when it was last looked at. */
  readonly #watched = new Map<string, { readonly by: Set<unknown>; state: string | null }>();
  readonly #sessions = new Set<WatchedTasks>();
  #over: AbortController | null = null;

  /** @param stateOf a short text that differs when the resource has changed. */
  constructor(stateOf: (uri: string) => string | null, changed: (uri: string) => void) {
    this.#stateOf = stateOf;
    this.#changed = changed;
  }

  /** From now on the tasks of this session count, too. */
  follow(session: WatchedTasks): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    if (this.#over !== null) this.#begin(session, this.#over.signal);
  }

  add(uri: string, by: unknown): void {
    const watched = this.#watched.get(uri) ?? { by: new Set(), state: this.#stateNow(uri, null) };
    watched.by.add(by);
    this.#watched.set(uri, watched);
    if (this.#over !== null) return;
    this.#over = new AbortController();
    for (const session of this.#sessions) this.#begin(session, this.#over.signal);
  }

  /** Ends what somebody has subscribed to, or only one resource of it. */
  remove(by: unknown, uri?: string): void {
    for (const [watchedUri, watched] of this.#watched) {
      if (uri !== undefined && uri !== watchedUri) continue;
      watched.by.delete(by);
      if (watched.by.size === 0) this.#watched.delete(watchedUri);
    }
    if (this.#watched.size === 0) this.close();
  }

  close(): void {
    this.#over?.abort();
    this.#over = null;
    this.#watched.clear();
  }

  #begin(session: WatchedTasks, abortSignal: AbortSignal): void {
    send('watching a session', this.#watchForGood(session, abortSignal));
  }

  /** Whatever a disk does, the next second it may not. */
  async #watchForGood(session: WatchedTasks, abortSignal: AbortSignal): Promise<void> {
    while (!abortSignal.aborted) {
      try {
        for await (const taskId of session.changes(abortSignal)) {
          this.#look(taskUri(taskId));
          this.#look(outputUri(taskId));
        }
      } catch (error) {
        report('watching a session', error, session.session.id);
        await new Promise<void>((resolve) => after(againMs, resolve));
        // A task that was removed meanwhile is not among those that there are.
        for (const uri of this.#watched.keys()) this.#look(uri);
      }
    }
  }

  /** Looks at a resource, and tells if it has changed. */
  #look(uri: string): void {
    const watched = this.#watched.get(uri);
    if (watched === undefined) return;
    const state = this.#stateNow(uri, watched.state);
    if (state === watched.state) return;
    watched.state = state;
    this.#changed(uri);
  }

  /** What cannot be looked at now keeps neither its client nor the others from being told later. */
  #stateNow(uri: string, otherwise: string | null): string | null {
    try {
      return this.#stateOf(uri);
    } catch (error) {
      report('checking a resource', error);
      return otherwise;
    }
  }
}

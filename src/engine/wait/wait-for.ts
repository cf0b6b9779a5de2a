import { closed, type OutliveError, taskNotFound } from '../../errors/error.ts';
import { noFacts } from '../../model/fold.ts';
import type { LineMatcher, PatternMatch } from '../../model/line-search.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { lookAtOutput } from '../../tasklog/output.ts';
import { monotonicMs } from '../../util/wait.ts';
import { answer, removeWaiter } from '../completions/deliver.ts';
import type { ScreenWait } from '../interact/screen-wait.ts';
import { flush } from '../session/append.ts';
import { report } from '../session/background.ts';
import type { EndWaiter, SessionContext } from '../session/context.ts';
import { describe, observe, takeSnapshot } from '../session/observe.ts';
import { readableOutput } from '../session/output-file.ts';
import { compilePattern } from '../watches/compile-pattern.ts';
import { OutputSearch, type SearchStep, searchTurns } from '../watches/output-search.ts';
import { OutputWatcher } from '../watches/output-watcher.ts';
import { PortSearch } from './ports.ts';
import { Silence } from './silence.ts';
import { awaitEnd } from './wait.ts';
import {
  checkWaitFor,
  nothingElse,
  type WaitForFinding,
  type WaitForOptions,
  type WaitForRequest,
  type WaitForResult,
} from './wait-for-options.ts';

/** Of several waits one is answered: asked before anything is acknowledged or reported, whether it is this one. */
export type MayAnswer = () => boolean;

/** Waits for whatever comes first: see {@link WaitForOptions}. */
export async function waitFor(
  context: SessionContext,
  taskId: string,
  options: WaitForOptions,
  mayAnswer: MayAnswer = () => true,
): Promise<WaitForResult> {
  const request = checkWaitFor(options);
  request.abortSignal?.throwIfAborted();
  const matcher = request.pattern === null ? null : await compilePattern(request.pattern);
  const wait = new Wait(context, taskId, request, matcher, mayAnswer);
  try {
    await wait.prepare();
  } catch (error) {
    wait.close();
    throw error;
  }
  try {
    return await wait.result();
  } finally {
    wait.close();
  }
}

/**
 * When a task ends, its waiter must say at once whether that is its result. It searches at most this much output for
 * the answer.
 */
const lastSearchBytes = 4 * 1024 ** 2;

/** How long it searches the output before it checks something else. */
const stretchMs = 50;

/** What is there already is searched for this long, however short the time limit: 0 is to find it, too. */
const leastSearchMs = 1_000;

class Wait implements EndWaiter {
  readonly #context: SessionContext;
  readonly #taskId: string;
  readonly #request: WaitForRequest;
  readonly #mayAnswer: MayAnswer;
  readonly #search: OutputSearch | null;
  readonly #ports: PortSearch | null;
  readonly #silence: Silence;
  #screen: ScreenWait | null = null;
  readonly #onlyEnd: boolean;
  readonly #growth: OutputWatcher;
  readonly #beganAt = monotonicMs();
  #match: PatternMatch | null = null;
  #end: TaskSnapshot | null = null;
  #gone = false;
  #error: OutliveError | null = null;
  /** The end was acknowledged for this caller, so the caller gets it. */
  #endIsOurs = false;
  #started = false;
  #beginsAt = 0;
  /** There is output that was not searched yet. */
  #behind = false;

  constructor(
    context: SessionContext,
    taskId: string,
    request: WaitForRequest,
    matcher: LineMatcher | null,
    mayAnswer: MayAnswer,
  ) {
    const observed = observe(context, taskId);
    if (observed === null) throw taskNotFound(context.sessionId, taskId);
    this.#context = context;
    this.#taskId = taskId;
    this.#request = request;
    this.#mayAnswer = mayAnswer;
    this.#search = matcher === null ? null : new OutputSearch(matcher, request.from);
    this.#ports = request.port === null ? null : new PortSearch(context, taskId, request.port);
    this.#silence = new Silence(context, taskId);
    const isOnScreen = request.screen !== null || request.input;
    this.#onlyEnd = this.#search === null && this.#ports === null && request.idleMs === null && !isOnScreen;
    const file = readableOutput(context, taskId, request.stream, observed.facts);
    const path = this.#onlyEnd ? null : file.path;
    this.#growth = new OutputWatcher(context, taskId, path, { slowsDown: true });
    if (observed.decision.state === 'ended') {
      this.#end = describe(context, taskId, observed);
    } else if (context.isWatched) awaitEnd(context, taskId, this);
  }

  /** Makes what is loaded only where it is used. */
  async prepare(): Promise<void> {
    const { screen, input } = this.#request;
    if (screen === null && !input) return;
    const { ScreenWait } = await import('../interact/screen-wait.ts');
    const matcher = screen === null ? null : await compilePattern(screen);
    this.#screen = new ScreenWait(this.#context, this.#taskId, matcher, input);
  }

  /** The end is the result, unless the last of the output has the pattern, or leftovers may hold the port. */
  acknowledges(end: { readonly leftovers: readonly unknown[] }): boolean {
    // What showed at the end may be what is waited for.
    if (this.#request.screen !== null) return false;
    if (!this.#request.ack || (this.#ports !== null && end.leftovers.length > 0)) return false;
    this.#endIsOurs = this.#lastSearch() && this.#match === null && this.#mayAnswer();
    return this.#endIsOurs;
  }

  /** Searches what is left of the output of a task that has ended; false when that is too much for one turn. */
  #lastSearch(): boolean {
    if (this.#search === null || this.#match !== null) return true;
    const begin = this.#search.offset;
    try {
      while (this.#search.offset - begin < lastSearchBytes) {
        const step = searchTurns.hurry(() => this.#search?.step(this.#file()));
        if (!step) return false;
        if (!this.#take(step)) return true;
      }
    } catch (error) {
      // The caller learns of it when it searches itself; the task must be settled anyway.
      report(this.#context, 'searching output', error, { taskId: this.#taskId });
    }
    return false;
  }

  failed(error: OutliveError): void {
    this.#error = error;
    this.#growth.wake();
  }

  ended(snapshot: TaskSnapshot | null): void {
    this.#end = snapshot;
    this.#gone = snapshot === null;
    this.#growth.wake();
  }

  async result(): Promise<WaitForResult> {
    const { abortSignal } = this.#request;
    for (;;) {
      this.#growth.reset();
      const searched = this.#search?.offset;
      const found = this.#ownEnd() ?? (await this.#look());
      if (found !== null) return this.#ownEnd() ?? found;
      if (this.#error !== null) throw this.#error;
      if (this.#context.closed) throw closed('session');
      if (this.#gone) throw taskNotFound(this.#context.sessionId, this.#taskId);
      abortSignal?.throwIfAborted();
      // A writer that is faster than the search must not keep the rest from being looked at.
      if (this.#behind) continue;
      const byEvent = await this.#growth.next(abortSignal, this.#nextDueMs());
      if (byEvent) this.#ports?.hasten();
      else if (searched !== this.#search?.offset) this.#growth.found();
    }
  }

  close(): void {
    removeWaiter(this.#context, this.#taskId, this);
    this.#growth.close();
    this.#screen?.[Symbol.dispose]();
  }

  /** The end, if it was acknowledged for this caller while it checked something else. */
  #ownEnd(): WaitForResult | null {
    if (!this.#endIsOurs || this.#end === null) return null;
    return this.#report({ ...nothingElse, cause: 'exit' }, this.#acknowledged(this.#end));
  }

  async #look(): Promise<WaitForResult | null> {
    // First whether it ended, then the output and the ports: what comes between the two is seen.
    this.#end ??= this.#endOfUnwatched();
    const end = this.#end;
    this.#behind = !(await this.#searchFor(end === null ? stretchMs : Number.POSITIVE_INFINITY));
    if (this.#search === null && !this.#onlyEnd) this.#beginsAt = lookAtOutput(this.#file()).beginsAt;
    if (this.#request.abortSignal?.aborted || this.#context.closed) return null;
    if (this.#match !== null) return this.#answer({ ...nothingElse, cause: 'pattern', match: this.#match });
    const isDue = this.#ports !== null && (end !== null || this.#ports.dueInMs <= 0);
    const port = isDue ? await this.#ports?.look() : null;
    if (port) return this.#answer({ ...nothingElse, cause: 'port', port });
    const shown = (await this.#screen?.look()) ?? null;
    if (shown?.screen) return this.#answer({ ...nothingElse, cause: 'screen', screen: shown.screen });
    if (shown?.input) return this.#answer({ ...nothingElse, cause: 'input', input: shown.input });
    if (end !== null) return this.#answer({ ...nothingElse, cause: 'exit' }, end);
    const silentMs = this.#silentMs();
    if (silentMs >= (this.#request.idleMs ?? Number.POSITIVE_INFINITY)) {
      return this.#answer({ ...nothingElse, cause: 'idle', idleMs: Math.floor(silentMs) });
    }
    const searchedMs = monotonicMs() - this.#beganAt;
    const mayStop = !this.#behind || searchedMs >= leastSearchMs;
    return this.#timeLeftMs() <= 0 && mayStop ? this.#report({ ...nothingElse, cause: 'timeout' }) : null;
  }

  /** If no process watches the session, no event reports the end. */
  #endOfUnwatched(): TaskSnapshot | null {
    if (this.#context.isWatched) return null;
    const observed = observe(this.#context, this.#taskId);
    this.#gone = observed === null;
    const isLive = observed === null || observed.decision.state === 'live';
    return isLive ? null : describe(this.#context, this.#taskId, observed);
  }

  /** Searches the output for this long at most; true when all that is there was searched. */
  async #searchFor(limitMs: number): Promise<boolean> {
    const until = monotonicMs() + limitMs;
    while (this.#search !== null && this.#match === null) {
      if (!this.#take(await this.#search.next(this.#file()))) return true;
      if (this.#request.abortSignal?.aborted || this.#context.closed) return false;
      if (monotonicMs() >= until) return false;
    }
    return true;
  }

  #answer(finding: WaitForFinding, end?: TaskSnapshot): WaitForResult | null {
    if (!this.#mayAnswer()) return null;
    return this.#report(finding, end && this.#acknowledged(end));
  }

  /** Takes what a step has found; true when it is worth another. */
  #take({ matches, more, beginsAt }: SearchStep): boolean {
    this.#beginsAt = beginsAt;
    this.#match ??= matches[0] ?? null;
    return more && this.#match === null;
  }

  #file() {
    // Output is cut only when its task has ended.
    const facts = this.#end === null ? undefined : observe(this.#context, this.#taskId)?.facts;
    return readableOutput(this.#context, this.#taskId, this.#request.stream, facts ?? noFacts);
  }

  /** For how long it has written nothing; what has not started is not silent yet. */
  #silentMs(): number {
    if (this.#request.idleMs === null) return 0;
    this.#started ||= observe(this.#context, this.#taskId)?.facts.started !== undefined;
    return this.#started ? this.#silence.look() : 0;
  }

  #acknowledged(end: TaskSnapshot): TaskSnapshot {
    flush(this.#context, this.#taskId);
    return answer(this.#context, end, this.#request.ack);
  }

  #report(finding: WaitForFinding, end?: TaskSnapshot): WaitForResult {
    const snapshot = end ?? takeSnapshot(this.#context, this.#taskId);
    if (snapshot === null) throw taskNotFound(this.#context.sessionId, this.#taskId);
    return { ...finding, beginsAt: this.#beginsAt, snapshot };
  }

  #timeLeftMs(): number {
    const { timeoutMs } = this.#request;
    return timeoutMs === null ? Number.POSITIVE_INFINITY : this.#beganAt + timeoutMs - monotonicMs();
  }

  /** When to check something that no event reports. */
  #nextDueMs(): number {
    const never = Number.POSITIVE_INFINITY;
    const { idleMs } = this.#request;
    const silence = idleMs === null ? never : idleMs - this.#silentMs();
    return Math.max(
      1,
      Math.min(this.#timeLeftMs(), silence, this.#ports?.dueInMs ?? never, this.#screen?.dueInMs ?? never),
    );
  }
}

import { flush } from '../engine/append.ts';
import { compilePattern } from '../engine/compile-pattern.ts';
import type { EndWaiter, SessionContext } from '../engine/context.ts';
import { acknowledge } from '../engine/deliver.ts';
import { describe, observe, takeSnapshot } from '../engine/observe.ts';
import { OutputSearch, searchStepBytes } from '../engine/output-search.ts';
import { PortSearch } from '../engine/ports.ts';
import { closed, taskNotFound } from '../errors/error.ts';
import { decide } from '../model/decide.ts';
import { noFacts } from '../model/fold.ts';
import type { LineMatcher, PatternMatch } from '../model/line-search.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { outputFile } from '../tasklog/output.ts';
import { monotonicMs, yieldToOthers } from '../util/wait.ts';
import { Growth } from './growth.ts';
import { Silence } from './silence.ts';
import { addWaiter, removeWaiter } from './wait.ts';
import {
  checkWaitFor,
  type WaitForCause,
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
    return await wait.result();
  } finally {
    wait.close();
  }
}

/** Whoever is told of an end asks at once whether it is the result: so much output is searched for the answer. */
const lastSearchBytes = 4 * 1024 ** 2;

/** So long the output is searched before something else is looked at. */
const stretchMs = 50;

/** What is there already is searched for so long, however short the time limit: 0 is to find it, too. */
const leastSearchMs = 1_000;

class Wait implements EndWaiter {
  readonly #context: SessionContext;
  readonly #taskId: string;
  readonly #request: WaitForRequest;
  readonly #mayAnswer: MayAnswer;
  readonly #search: OutputSearch | null;
  readonly #ports: PortSearch | null;
  readonly #silence: Silence;
  readonly #growth: Growth;
  readonly #beganAt = monotonicMs();
  #match: PatternMatch | null = null;
  #end: TaskSnapshot | null = null;
  #gone = false;
  /** The end was acknowledged for this caller, so that it is what he gets. */
  #endIsOurs = false;
  #started = false;
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
    const { path } = outputFile(context.paths, taskId, request.stream, observed.facts);
    const onlyEnd = this.#search === null && this.#ports === null && request.idleMs === null;
    this.#growth = new Growth(context, taskId, onlyEnd ? null : path, { slowsDown: true });
    if (decide(observed.facts, observed.alive).state === 'ended') {
      this.#end = describe(context, taskId, observed);
    } else addWaiter(context, taskId, this);
  }

  /** The end is the result, unless the last of the output has the pattern, or leftovers may hold the port. */
  acknowledges(end: { readonly leftovers: readonly unknown[] }): boolean {
    if (!this.#request.ack || (this.#ports !== null && end.leftovers.length > 0)) return false;
    this.#endIsOurs = this.#lastSearch() && this.#match === null && this.#mayAnswer();
    return this.#endIsOurs;
  }

  /** Searches what is left of the output of a task that has ended; false when that is too much for one turn. */
  #lastSearch(): boolean {
    try {
      for (let bytes = 0; bytes < lastSearchBytes; bytes += searchStepBytes) {
        if (!this.#searchStep()) return true;
      }
    } catch {
      // The caller is told when he searches himself; the task must be settled all the same.
    }
    return false;
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
  }

  /** The end, when it was acknowledged for this caller while he looked at something else. */
  #ownEnd(): WaitForResult | null {
    if (!this.#endIsOurs || this.#end === null) return null;
    return this.#report('exit', { snapshot: this.#acknowledged(this.#end) });
  }

  async #look(): Promise<WaitForResult | null> {
    // First whether it ended, then the output and the ports: what comes between the two is seen.
    const end = this.#end;
    this.#behind = !(await this.#searchFor(end === null ? stretchMs : Number.POSITIVE_INFINITY));
    if (this.#request.abortSignal?.aborted || this.#context.closed) return null;
    if (this.#match !== null) return this.#answer('pattern', { match: this.#match });
    const isDue = this.#ports !== null && (end !== null || this.#ports.dueInMs <= 0);
    const port = isDue ? await this.#ports?.look() : null;
    if (port) return this.#answer('port', { port });
    if (end !== null) return this.#answer('exit', { snapshot: end });
    const silentMs = this.#silentMs();
    if (silentMs >= (this.#request.idleMs ?? Number.POSITIVE_INFINITY)) {
      return this.#answer('idle', { idleMs: Math.floor(silentMs) });
    }
    const searchedMs = monotonicMs() - this.#beganAt;
    const mayStop = !this.#behind || searchedMs >= leastSearchMs;
    return this.#timeLeftMs() <= 0 && mayStop ? this.#report('timeout', {}) : null;
  }

  /** Searches the output for so long at most; true when all that is there was searched. */
  async #searchFor(limitMs: number): Promise<boolean> {
    const until = monotonicMs() + limitMs;
    while (this.#searchStep()) {
      await yieldToOthers();
      if (this.#request.abortSignal?.aborted || this.#context.closed) return false;
      if (monotonicMs() >= until) return false;
    }
    return true;
  }

  #answer(cause: WaitForCause, what: Partial<WaitForResult>): WaitForResult | null {
    if (!this.#mayAnswer()) return null;
    return this.#report(cause, what.snapshot ? { snapshot: this.#acknowledged(what.snapshot) } : what);
  }

  /** Searches a stretch of output; true when there is more. */
  #searchStep(): boolean {
    if (this.#search === null || this.#match !== null) return false;
    const { matches, more } = this.#search.step(this.#file());
    this.#match = matches[0] ?? null;
    return more && this.#match === null;
  }

  #file() {
    // Output is cut only when its task has ended.
    const facts = this.#end === null ? undefined : observe(this.#context, this.#taskId)?.facts;
    return outputFile(this.#context.paths, this.#taskId, this.#request.stream, facts ?? noFacts);
  }

  /** For how long it has written nothing; what has not started is not silent yet. */
  #silentMs(): number {
    if (this.#request.idleMs === null) return 0;
    this.#started ||= observe(this.#context, this.#taskId)?.facts.started !== undefined;
    return this.#started ? this.#silence.look() : 0;
  }

  #acknowledged(end: TaskSnapshot): TaskSnapshot {
    flush(this.#context, this.#taskId);
    if (!this.#request.ack || end.delivered) return end;
    acknowledge(this.#context, this.#taskId);
    return { ...end, delivered: true };
  }

  #report(cause: WaitForCause, what: Partial<WaitForResult>): WaitForResult {
    const snapshot = what.snapshot ?? takeSnapshot(this.#context, this.#taskId);
    if (snapshot === null) throw taskNotFound(this.#context.sessionId, this.#taskId);
    return { cause, match: null, port: null, idleMs: null, ...what, snapshot };
  }

  #timeLeftMs(): number {
    const { timeoutMs } = this.#request;
    return timeoutMs === null ? Number.POSITIVE_INFINITY : this.#beganAt + timeoutMs - monotonicMs();
  }

  /** When something is to be looked at that no event tells of. */
  #nextDueMs(): number {
    const never = Number.POSITIVE_INFINITY;
    const { idleMs } = this.#request;
    const silence = idleMs === null ? never : idleMs - this.#silentMs();
    return Math.max(1, Math.min(this.#timeLeftMs(), silence, this.#ports?.dueInMs ?? never));
  }
}

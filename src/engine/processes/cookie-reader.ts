import type { ProcessUsage, System } from '../../platform/system.ts';
import type { ProcessCache } from '../session/process-cache.ts';

/** Finds the cookies that processes carry, and asks a process only once if its answer can no longer change. */
export class CookieReader {
  readonly #system: System;
  /** By pid: when it began, and what it said the first time. */
  readonly #known = new Map<
    number,
    { readonly start: number | null; cookie: string | null; isSure: boolean }
  >();

  constructor(system: System) {
    this.#system = system;
  }

  /**
   * The cookie that a process carries; `null`: none.
   * @param seen what was seen of all processes, with the shims that are known.
   * @param askOlder also ask those that are older than all these shims: there are tasks whose shims are not in sight.
   */
  cookieOf({ pid, cookie, view }: ProcessUsage, seen: ProcessCache, askOlder: boolean): string | null {
    if (cookie !== null || view === undefined) return cookie;
    // No process enters the session of another task's shim, so there is no need to read the cookies of its processes.
    const ofShim = seen.cookieOfShim(view.session);
    if (ofShim !== null) return ofShim;
    if (!askOlder && seen.isOlderThanAll(view)) return null;
    return this.#ask(pid, view.start);
  }

  #ask(pid: number, start: number | null): string | null {
    const known = this.#known.get(pid);
    if (known?.start === start && known.isSure) return known.cookie;
    const cookie = this.#system.cookieOf?.(pid) ?? null;
    // One that has just been forked says what its parent carries until it executes its program.
    this.#known.set(pid, { start, cookie, isSure: known?.start === start && known.cookie === cookie });
    return cookie;
  }

  /** Forgets the processes that are gone. */
  keepOnly(seen: readonly ProcessUsage[]): void {
    const pids = new Set(seen.map(({ pid }) => pid));
    for (const pid of this.#known.keys()) if (!pids.has(pid)) this.#known.delete(pid);
  }

  forget(): void {
    this.#known.clear();
  }
}

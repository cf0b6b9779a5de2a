import type { ProcessUsage, ProcessView } from '../../platform/system.ts';

/**
 * What a measurement has just seen of the processes of tasks: a listing need not look at the same ones again. It is only
 * ever believed that a process was alive then; of one that is not in it nothing is known.
 */
export class ProcessCache {
  readonly #seen = new Map<number, ProcessUsage & { readonly view: ProcessView }>();
  readonly #withSuspendedChild = new Set<number>();
  readonly #shims = new Map<number, string>();
  #oldestShim = Number.POSITIVE_INFINITY;

  constructor(seen: readonly ProcessUsage[]) {
    for (const one of seen) {
      const { view } = one;
      if (view === undefined) continue;
      this.#seen.set(one.pid, { ...one, view });
      if (view.suspended) this.#withSuspendedChild.add(view.parent);
    }
  }

  /**
   * The shim of that pid and start time, which carries that cookie, if it tells; suspended when it or a child of its own
   * is; null when it was not seen.
   */
  shim(pid: number, start: number | null, cookie: string): ProcessView | null {
    const found = this.#seen.get(pid);
    if (found === undefined || start === null || found.view.start !== start) return null;
    if (found.cookie !== null && found.cookie !== cookie) return null;
    this.#shims.set(pid, cookie);
    this.#oldestShim = Math.min(this.#oldestShim, start);
    const suspended = found.view.suspended || this.#withSuspendedChild.has(pid);
    return suspended === found.view.suspended ? found.view : { ...found.view, suspended };
  }

  /** The cookie of the shim of that pid, if somebody has asked for it by {@link ProcessCache.shim}. */
  cookieOfShim(pid: number): string | null {
    return this.#shims.get(pid) ?? null;
  }

  /** The cookies of all of them. */
  cookies(): string[] {
    return [...this.#shims.values()];
  }

  /** Whether a process began before all of them, and so is none that they have started. */
  isOlderThanAll({ start }: ProcessView): boolean {
    return start !== null && start < this.#oldestShim;
  }
}

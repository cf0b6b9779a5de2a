import type { ProcessUsage, ProcessView } from '../platform/system.ts';

/**
 * What a measurement has just seen of the processes of tasks: a listing need not look at the same ones again. It is only
 * ever believed that a process was alive then; of one that is not in it nothing is known.
 */
export class Sight {
  readonly #seen = new Map<number, ProcessUsage & { readonly view: ProcessView }>();
  readonly #withSuspendedChild = new Set<number>();

  constructor(seen: readonly ProcessUsage[]) {
    for (const one of seen) {
      const { view } = one;
      if (view === undefined) continue;
      this.#seen.set(one.pid, { ...one, view });
      if (view.suspended) this.#withSuspendedChild.add(view.parent);
    }
  }

  /** The process of that pid, start time and cookie, suspended when it or a child of its own is; null when it was not seen. */
  processOf(pid: number, start: number | null, cookie: string): ProcessView | null {
    const found = this.#seen.get(pid);
    if (found === undefined || start === null || found.view.start !== start || found.cookie !== cookie)
      return null;
    const suspended = found.view.suspended || this.#withSuspendedChild.has(pid);
    return suspended === found.view.suspended ? found.view : { ...found.view, suspended };
  }
}

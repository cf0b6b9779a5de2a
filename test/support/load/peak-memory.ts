import { memoryMb } from './gauge.ts';

/** The memory of processes while something happens: how much more than before each had at most, in MB. */
export class PeakMemory {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #before = new Map<string, number>();
  readonly #most = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** @param pids by the names under which they are told. */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = new Map(Object.entries(pids));
    for (const [name, pid] of this.#pids) this.#before.set(name, memoryMb(pid));
    this.#timer = setInterval(() => this.#look(), 100);
  }

  /** Ends it. @returns by name. */
  stop(): Readonly<Record<string, number>> {
    clearInterval(this.#timer);
    this.#look();
    const more = (name: string): number => (this.#most.get(name) ?? 0) - (this.#before.get(name) ?? 0);
    return Object.fromEntries([...this.#pids.keys()].map((name) => [name, more(name)]));
  }

  #look(): void {
    for (const [name, pid] of this.#pids)
      this.#most.set(name, Math.max(this.#most.get(name) ?? 0, memoryMb(pid)));
  }
}

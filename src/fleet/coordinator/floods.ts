/** How many messages of a host may be refused in a minute. A host that works correctly has none refused. */
export const mostRefused = 1_000;
const minuteMs = 60_000;
/** The most invented assignments that are remembered for removal. */
const mostNames = 10_000;

/** An assignment that a host has invented, with the last message of it that was read. */
export interface Invented {
  readonly host: string;
  readonly task: string;
  readonly seq: number;
}

interface Counted {
  since: number;
  refused: number;
  isFlood: boolean;
}

/** Counts the refused messages of hosts. A host may write anything to its own subjects, as fast as it can. */
export class Floods {
  readonly #hosts = new Map<string, Counted>();
  readonly #invented = new Map<string, Invented>();
  readonly #onFlood: (host: string) => void;

  /** @param onFlood called when a host begins to write too many invalid messages. */
  constructor(onFlood: (host: string) => void) {
    this.#onFlood = onFlood;
  }

  /**
   * Counts a refused message of a host.
   * @param invented the assignment, if its task is unknown; `null`: the task is known.
   */
  refused(host: string, invented: Invented | null, now: number): void {
    const counted = this.#counted(host, now);
    counted.refused += 1;
    if (invented !== null && this.#invented.size < mostNames)
      this.#invented.set(`${host}.${invented.task}`, invented);
    if (counted.refused <= mostRefused || counted.isFlood) return;
    counted.isFlood = true;
    this.#onFlood(host);
  }

  /** Whether to skip what a host says about unknown tasks, because it has written too many invalid messages. */
  skips(host: string, now: number): boolean {
    const counted = this.#hosts.get(host);
    return counted !== undefined && now - counted.since < minuteMs && counted.refused > mostRefused;
  }

  /** Returns invented assignments, at most `most`, and forgets them. */
  takeInvented(most: number): Invented[] {
    const taken = [...this.#invented].slice(0, most);
    for (const [key] of taken) this.#invented.delete(key);
    return taken.map(([, invented]) => invented);
  }

  forget(host: string): void {
    this.#hosts.delete(host);
  }

  #counted(host: string, now: number): Counted {
    const found = this.#hosts.get(host);
    if (found !== undefined && now - found.since < minuteMs) return found;
    const isFlood = found !== undefined && found.refused > mostRefused;
    const fresh = { since: now, refused: 0, isFlood };
    this.#hosts.set(host, fresh);
    return fresh;
  }
}

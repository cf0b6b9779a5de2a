/** How many messages of a host may be refused in a minute; a host that works correctly writes none that is. */
export const mostRefused = 1_000;
const minuteMs = 60_000;
/** Subjects of a host that are remembered as invented, so that they are removed. */
const mostNames = 10_000;

/** An assignment that a host has invented: its last message that was read. */
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

/** What hosts write that nobody believes, counted: a host may write to its own subjects whatever it likes, as fast as it can. */
export class Floods {
  readonly #hosts = new Map<string, Counted>();
  readonly #invented = new Map<string, Invented>();
  readonly #onFlood: (host: string) => void;

  /** @param onFlood a host has begun to write more than it may. */
  constructor(onFlood: (host: string) => void) {
    this.#onFlood = onFlood;
  }

  /**
   * A message of a host was refused.
   * @param invented what it is of a task that nobody knows; `null`: there is such a task.
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

  /** Whether a message of a host about a task that nobody knows is left out unread: it has written too much. */
  skips(host: string, now: number): boolean {
    const counted = this.#hosts.get(host);
    return counted !== undefined && now - counted.since < minuteMs && counted.refused > mostRefused;
  }

  /** Takes invented assignments, at most this many. */
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

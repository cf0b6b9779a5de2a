import { OutliveError } from '../../errors/error.ts';
import type { AttemptName } from '../../fleet/wire/messages.ts';
import type { RemoteTask } from '../../fleet/wire/operations.ts';
import { after } from '../../util/wait.ts';
import { report } from '../delivery/report.ts';
import type { FleetLink } from './fleet-link.ts';

/** How long the coordinator waits for an end before it is asked again, in milliseconds. */
const askMs = 20_000;

/** The most ends of one answer of the coordinator. */
const most = 100;

/**
 * The coordinator answers at once while there are ends that nobody has acknowledged. So then, and after a failure, the
 * next question comes after a pause: the shortest and the longest, in milliseconds. A tool call ends the pause.
 */
const shortestMs = 1_000;
const longestMs = 15_000;

/** How many acknowledged ends it remembers: an answer in flight may still have them. */
const mostDone = 1_000;

/** How long the last acknowledgements may take when the client leaves, in milliseconds. */
const flushMs = 1_000;

/** The name of a task in the fleet: `host/id`. */
export function referenceOf({ host, task }: Pick<RemoteTask, 'host' | 'task'>): string {
  return `${host}/${task}`;
}

/** The ended tasks of one session in the fleet that are not acknowledged. It asks the coordinator in the background. */
export class RemoteSession {
  readonly id: string;
  readonly #link: FleetLink;
  readonly #pending = new Map<string, RemoteTask>();
  readonly #done = new Set<string>();
  readonly #unacknowledged = new Map<string, AttemptName>();
  readonly #listeners = new Set<(end: RemoteTask) => void>();
  readonly #looked = new Set<() => void>();
  #acknowledging: Promise<void> | null = null;
  #isLooking = false;
  #hasLooked = false;
  #wasWaitedFor = false;
  #isClosed = false;
  #pauseMs = shortestMs;
  #endPause = (): void => undefined;
  #trouble: OutliveError | null = null;

  constructor(link: FleetLink, id: string) {
    this.#link = link;
    this.id = id;
  }

  /** Why the fleet did not answer the last question; null if it did, or was not asked yet. */
  get trouble(): OutliveError | null {
    return this.#trouble;
  }

  /** The known ends that are not acknowledged, the oldest first. */
  get pending(): readonly RemoteTask[] {
    return [...this.#pending.values()];
  }

  /** A pending end; null if there is none. */
  find(reference: string): RemoteTask | null {
    return this.#pending.get(reference) ?? null;
  }

  /** Asks the fleet soon, and goes on asking by itself. */
  look(): void {
    this.#endPause();
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    void this.#lookForGood();
  }

  /**
   * Resolves when the fleet was asked once, whether it answered or not. Only the first call waits, and at most this
   * long.
   */
  async ready(withinMs: number): Promise<void> {
    if (this.#hasLooked || this.#wasWaitedFor) return;
    this.#wasWaitedFor = true;
    await new Promise<void>((resolve) => {
      this.#looked.add(resolve);
      after(withinMs, resolve);
    });
  }

  /** Calls back with each end that becomes pending, until the returned function is called. */
  onEnd(listener: (end: RemoteTask) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notes that the client has read an end, and tells the fleet as soon as it can be told. */
  acknowledge(reference: string, end: AttemptName): void {
    this.#pending.delete(reference);
    this.#done.add(nameOf(end));
    const [oldest] = this.#done;
    if (this.#done.size > mostDone && oldest !== undefined) this.#done.delete(oldest);
    this.#unacknowledged.set(nameOf(end), end);
    void this.#flush();
  }

  /** Stops asking. Acknowledgements get a moment to finish; if it is too short, outlive tells the end again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endPause();
    if (this.#unacknowledged.size === 0) return;
    await Promise.race([this.#flush(), new Promise<void>((resolve) => after(flushMs, resolve))]);
  }

  async #lookForGood(): Promise<void> {
    while (!this.#isClosed) {
      const hadPending = this.#pending.size;
      // After a failure, and while there are ends, the next answer comes at once.
      let isNextAtOnce = true;
      try {
        isNextAtOnce = await this.#lookOnce();
        this.#trouble = null;
      } catch (error) {
        if (this.#isClosed) return;
        if (error instanceof OutliveError) this.#trouble = error;
        else report('asking the fleet', error, this.id);
      }
      this.#hasLooked = true;
      for (const looked of this.#looked) looked();
      this.#looked.clear();
      if (isNextAtOnce) await this.#pause(this.#pending.size > hadPending);
      else this.#pauseMs = shortestMs;
    }
  }

  /**
   * @returns whether the fleet still has ends without an acknowledgement. This client may have acknowledged them
   * already.
   */
  async #lookOnce(): Promise<boolean> {
    const fleet = await this.#link.fleet();
    if (this.#unacknowledged.size > 0) await this.#flush();
    const forMs = this.#hasLooked && this.#trouble === null && this.#pending.size === 0 ? askMs : 0;
    const found = await fleet.completions(this.id, { forMs, most });
    const untold = found.filter((end) => !this.#done.has(nameOf(end)));
    const known = new Set(this.#pending.keys());
    // Ends that another client has acknowledged are no longer among them.
    this.#pending.clear();
    for (const end of untold) this.#pending.set(referenceOf(end), end);
    for (const end of untold)
      if (!known.has(referenceOf(end))) for (const listener of [...this.#listeners]) listener(end);
    return found.length > 0;
  }

  async #pause(isNew: boolean): Promise<void> {
    this.#pauseMs = isNew ? shortestMs : Math.min(longestMs, this.#pauseMs * 2);
    await new Promise<void>((resolve) => {
      const timer = after(this.#pauseMs, resolve);
      this.#endPause = () => {
        timer.cancel();
        this.#pauseMs = shortestMs;
        resolve();
      };
      if (this.#isClosed) this.#endPause();
    });
    this.#endPause = () => undefined;
  }

  /** Tells the fleet what the client has read. What fails is kept, and tried again with the next question. */
  #flush(): Promise<void> {
    this.#acknowledging ??= this.#acknowledgeAll().finally(() => {
      this.#acknowledging = null;
    });
    return this.#acknowledging;
  }

  async #acknowledgeAll(): Promise<void> {
    try {
      while (this.#unacknowledged.size > 0) {
        const ends = [...this.#unacknowledged.values()].slice(0, most);
        await (await this.#link.fleet()).acknowledge(this.id, ends);
        for (const end of ends) this.#unacknowledged.delete(nameOf(end));
      }
    } catch (error) {
      if (!(error instanceof OutliveError)) report('acknowledging ends in the fleet', error, this.id);
    }
  }
}

function nameOf({ task, attempt }: AttemptName): string {
  return `${task}.${attempt}`;
}

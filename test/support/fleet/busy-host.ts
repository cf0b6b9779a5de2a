import type { Numbered } from '../../../src/fleet/wire/messages.ts';
import { sleep } from '../../../src/util/wait.ts';
import type { FakeHost } from './host.ts';

/** How a host behaves by itself. */
export interface BusyOptions {
  readonly everyMs: number;
  /** Whether it takes what is assigned to it. */
  readonly accepts?: boolean;
  /** Whether what it has taken ends at once. */
  readonly ends?: boolean;
}

/** A host that beats, accepts and ends by itself, until it is disposed of. */
export class BusyHost implements AsyncDisposable {
  readonly host: FakeHost;
  /** What it has started: the task and the attempt. */
  readonly starts: string[] = [];
  readonly #options: BusyOptions;
  readonly #holds = new Map<string, { readonly task: string; readonly attempt: number }>();
  readonly #offers: Numbered[] = [];
  #isOver = false;
  #wake: (() => void) | undefined;
  readonly #running: Promise<void>;
  readonly #waiting = new Map<string, () => void>();

  constructor(host: FakeHost, options: BusyOptions) {
    this.host = host;
    this.#options = options;
    host.onOrder = (verb, { offer }) => {
      if (verb !== 'offer') return;
      this.#offers.push(offer as Numbered);
      this.#wake?.();
    };
    this.#running = this.#run();
  }

  /** Resolves when it has started an attempt: `<task>.<number>`. */
  async started(key: string): Promise<void> {
    if (this.starts.includes(key)) return;
    await new Promise<void>((resolve) => this.#waiting.set(key, resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    let beatAt = 0;
    while (!this.#isOver) {
      if (performance.now() >= beatAt) {
        beatAt = performance.now() + this.#options.everyMs;
        const answer = await this.host.beat({ holds: [...this.#holds.values()] });
        if (answer !== null && 'assignments' in answer) await this.#take(answer.assignments);
      }
      await this.#take(this.#offers.splice(0));
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (!this.#isOver && this.#offers.length === 0)
        await Promise.race([sleep(Math.max(0, beatAt - performance.now())), woken]);
    }
  }

  async #take(assignments: readonly Numbered[]): Promise<void> {
    const { accepts = true, ends = true } = this.#options;
    for (const numbered of assignments) {
      const { assignment } = numbered;
      const key = `${assignment.task}.${assignment.attempt}`;
      if (!accepts || assignment.state !== 'assigned' || this.#holds.has(key)) continue;
      const written = await this.host.accept(numbered);
      if (typeof written !== 'object') continue;
      this.starts.push(key);
      this.#waiting.get(key)?.();
      if (!ends) this.#holds.set(key, { task: assignment.task, attempt: assignment.attempt });
      else if (typeof (await this.host.end(assignment, written.seq)) !== 'object')
        this.#holds.set(key, { task: assignment.task, attempt: assignment.attempt });
    }
  }
}

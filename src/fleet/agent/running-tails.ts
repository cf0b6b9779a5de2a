import { monotonicMs } from '../../util/wait.ts';
import type { KnownTail } from '../wire/messages.ts';
import type { Attempt } from './attempts.ts';
import { tailBytes } from './end-of.ts';
import type { Parts } from './parts.ts';

/** Tasks that are looked at for one heartbeat, and bytes of output that go with it. */
const mostAtOnce = 8;
const mostBytes = 2 * tailBytes;

/** What has not changed is told again after that time, in milliseconds: the coordinator may be another one since. */
const againMs = 60_000;

/**
 * The ends of the outputs of running tasks, for the day on which this host is out of reach. With each heartbeat go a few of them, in
 * turns, so that a host with many tasks does no more than one with a few.
 */
export class RunningTails {
  readonly #parts: Parts;
  readonly #told = new Map<Attempt, { readonly bytes: number; readonly at: number }>();
  #ready: KnownTail[] = [];
  #turn = 0;
  #isReading = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Those that are to go with this heartbeat. Others are read meanwhile for the next one. */
  take(): readonly KnownTail[] {
    const ready = this.#ready;
    this.#ready = [];
    if (!this.#isReading) this.#parts.inBackground('reading the ends of outputs', this.#read());
    return ready;
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const running = this.#parts.attempts.in('running').filter(({ isInherited }) => !isInherited);
      for (const attempt of this.#told.keys()) if (!running.includes(attempt)) this.#told.delete(attempt);
      let bytes = 0;
      for (let left = Math.min(mostAtOnce, running.length); left > 0 && bytes < mostBytes; left -= 1) {
        this.#turn = (this.#turn + 1) % running.length;
        const attempt = running[this.#turn];
        const tail = attempt && (await this.#tailOf(attempt));
        if (!tail) continue;
        bytes += Buffer.byteLength(tail.tail);
        this.#ready.push(tail);
      }
    } finally {
      this.#isReading = false;
    }
  }

  async #tailOf(attempt: Attempt): Promise<KnownTail | null> {
    const { task, attempt: number, local } = attempt;
    const found = local && this.#parts.local.find(local.taskId);
    if (!found) return null;
    const { bytes } = found.snapshot().output;
    const told = this.#told.get(attempt);
    const isKnown = told?.bytes === bytes && monotonicMs() - told.at < againMs;
    if (bytes === 0 || isKnown) return null;
    const { text } = await found.tail({ maxBytes: tailBytes });
    this.#told.set(attempt, { bytes, at: monotonicMs() });
    return { task, attempt: number, outputBytes: bytes, tail: text };
  }
}

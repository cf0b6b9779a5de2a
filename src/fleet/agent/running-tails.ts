import { monotonicMs } from '../../util/wait.ts';
import type { KnownTail } from '../wire/messages.ts';
import type { Attempt } from './attempts.ts';
import { tailBytes } from './end-of.ts';
import type { Parts } from './parts.ts';

/** The most tasks that are read for one heartbeat, and the most bytes of output in it. */
const mostAtOnce = 8;
const mostBytes = 2 * tailBytes;

/** Unchanged output is reported again after this time, in milliseconds: another coordinator may have started. */
const againMs = 60_000;

/**
 * The last output of running tasks, which clients see when this host does not answer. Each heartbeat has the output of
 * a few tasks, in turns, so that many tasks cost a host no more than a few.
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

  /** Returns the outputs for this heartbeat, and begins to read others for the next one. */
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

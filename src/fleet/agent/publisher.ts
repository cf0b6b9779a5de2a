import { monotonicMs, sleep } from '../../util/wait.ts';
import { isClientError } from './host-connection.ts';
import type { Parts } from './parts.ts';

/** The most bytes per second that are published on one subject. */
const mostBytesPerSecond = 1_024 ** 2;

/** The longest wait for the answer to a flush, in milliseconds. If the connection breaks, the answer is lost. */
const longestFlushMs = 2_000;

/** Publishes to followers at a limited rate. What it publishes while nobody listens is lost. */
export class Publisher {
  readonly #connection: Parts['connection'];
  readonly #subject: string;
  /** How many bytes were allowed at the time of the count. */
  #allowance = mostBytesPerSecond;
  #countedAt = monotonicMs();

  constructor({ connection }: Parts, subject: string) {
    this.#connection = connection;
    this.#subject = subject;
  }

  /** Waits until this many bytes may be published. */
  async pace(bytes: number): Promise<void> {
    const now = monotonicMs();
    const gained = ((now - this.#countedAt) / 1_000) * mostBytesPerSecond;
    this.#countedAt = now;
    this.#allowance = Math.min(mostBytesPerSecond, this.#allowance + gained) - bytes;
    if (this.#allowance < 0) await sleep((-this.#allowance / mostBytesPerSecond) * 1_000);
  }

  /** Resolves when the server has the message, so that a slow server does not fill the memory of this process. */
  async publish(message: object): Promise<void> {
    // Without a connection the messages would be sent late and all at once. Followers see the gap instead.
    if (!this.#connection.isConnected) return;
    try {
      this.#connection.raw.publish(this.#subject, JSON.stringify(message));
      await Promise.race([this.#connection.raw.flush(), sleep(longestFlushMs)]);
    } catch (error) {
      if (!isClientError(error)) throw error;
    }
  }
}

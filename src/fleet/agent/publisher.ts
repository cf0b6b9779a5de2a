import { monotonicMs, sleep } from '../../util/wait.ts';
import { isClientError } from './host-connection.ts';
import type { Parts } from './parts.ts';

/** Bytes a second that are published on one subject. */
const mostBytesPerSecond = 1_024 ** 2;

/** The answer to a flush is lost with a connection that breaks: then it is not waited for any longer, in milliseconds. */
const longestFlushMs = 2_000;

/** Publishes to those who follow something, no faster than they are promised. What is published while nobody listens is gone. */
export class Publisher {
  readonly #connection: Parts['connection'];
  readonly #subject: string;
  /** Bytes that may be published now, at the time of the count. */
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

  /** Resolves when the server has it, so that what it is slow to take is not kept in memory here. */
  async publish(message: object): Promise<void> {
    // Without a connection it would be sent late, and all at once: followers see the gap.
    if (!this.#connection.isConnected) return;
    try {
      this.#connection.raw.publish(this.#subject, JSON.stringify(message));
      await Promise.race([this.#connection.raw.flush(), sleep(longestFlushMs)]);
    } catch (error) {
      if (!isClientError(error)) throw error;
    }
  }
}

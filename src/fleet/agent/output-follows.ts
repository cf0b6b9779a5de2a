import type { StoreTask } from '../../api/store-task.ts';
import { OutliveError } from '../../errors/error.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { OutputChunk } from '../wire/messages.ts';
import { subjects, wireVersion } from '../wire/names.ts';
import type { Parts } from './parts.ts';
import { Publisher } from './publisher.ts';

/** A follower that is further back than this many bytes misses some, and reads them in ranges. */
const mostBehindBytes = 1_024 ** 2;

/** Where it continues then: this many bytes before the end. */
const keptBytes = 64 * 1_024;

/** Tasks that are followed at a time. */
const mostFollowed = 64;

/** What is asked of a follow. */
export interface FollowRequest {
  /** The id under which the task was asked for: the subject has it. */
  readonly task: string;
  /** Where to begin; `null`: with what is written from now on. */
  readonly offset: number | null;
  readonly forMs: number;
}

/** Publishes the output of tasks while somebody follows. All who follow a task get the same messages. */
export class OutputFollows {
  readonly #parts: Parts;
  readonly #all = new Map<string, Follow>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Publishes for that time, or for that time from now on where it publishes already.
   * @returns the offset of the next byte that is published. What is before it is read by ranges.
   * @throws OutliveError `FLEET_BUSY`.
   */
  follow(local: StoreTask, { task, offset, forMs }: FollowRequest): number {
    const known = this.#all.get(task);
    if (known !== undefined) {
      known.goOn(forMs);
      return known.offset;
    }
    if (this.#all.size >= mostFollowed)
      throw new OutliveError(
        'FLEET_BUSY',
        `expected callers to follow at most ${mostFollowed} tasks of a host at a time; found as many. Read the output in ranges.`,
      );
    const follow = new Follow(this.#parts, local, task, offset ?? local.snapshot().output.bytes);
    this.#all.set(task, follow);
    follow.goOn(forMs);
    const work = follow.run().finally(() => this.#all.delete(task));
    this.#parts.inBackground('publishing output', work);
    return follow.offset;
  }

  /** Ends them all. */
  close(): void {
    for (const follow of this.#all.values()) follow.stop();
  }
}

class Follow {
  readonly #local: StoreTask;
  readonly #publisher: Publisher;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #untilMs = 0;
  /** Of the next byte that is published. */
  offset: number;

  constructor(parts: Parts, local: StoreTask, task: string, offset: number) {
    this.#local = local;
    this.#publisher = new Publisher(parts, subjects.output(parts.host, task));
    this.offset = offset;
  }

  goOn(forMs: number): void {
    const untilMs = monotonicMs() + forMs;
    if (untilMs <= this.#untilMs) return;
    this.#untilMs = untilMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(), forMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async run(): Promise<void> {
    try {
      while (!(await this.#publishUntilBehind())) {
        // What was skipped is not published: a follower sees the gap by the offset.
      }
    } finally {
      this.stop();
    }
  }

  /** @returns whether that was all. */
  async #publishUntilBehind(): Promise<boolean> {
    const { signal } = this.#stopped;
    for await (const chunk of this.#local.follow({ offset: this.offset, abortSignal: signal })) {
      await this.#publisher.pace(chunk.bytes.length);
      if (signal.aborted) return true;
      // Before it is on its way: who asks from now on has missed it.
      this.offset = chunk.nextOffset;
      await this.#publish(chunk.offset, chunk.bytes, false);
      if (chunk.size - this.offset <= mostBehindBytes) continue;
      this.offset = chunk.size - keptBytes;
      return false;
    }
    if (!signal.aborted) await this.#publish(this.offset, Buffer.alloc(0), true);
    return true;
  }

  async #publish(offset: number, bytes: Buffer, last: boolean): Promise<void> {
    const chunk: OutputChunk = { v: wireVersion, offset, bytes: bytes.toString('base64'), last };
    await this.#publisher.publish(chunk);
  }
}

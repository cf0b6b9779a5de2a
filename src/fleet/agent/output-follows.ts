import type { StoreTask } from '../../api/store-task.ts';
import { OutliveError } from '../../errors/error.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { OutputChunk } from '../wire/messages.ts';
import { subjects, wireVersion } from '../wire/names.ts';
import type { Parts } from './parts.ts';
import { Publisher } from './publisher.ts';

/** If publishing falls back by more than this many bytes, it skips some. Followers read those in ranges. */
const mostBehindBytes = 1_024 ** 2;

/** After a skip, publishing continues this many bytes before the end. */
const keptBytes = 64 * 1_024;

/** How many tasks are followed at a time. */
const mostFollowed = 64;

/** A request to follow the output of a task. */
export interface FollowRequest {
  /** The id of the task in the request. The subject has the same id. */
  readonly task: string;
  /** Where to begin; `null`: with output that is written from now on. */
  readonly offset: number | null;
  readonly forMs: number;
}

/** Publishes the output of tasks while somebody follows it. All followers of a task get the same messages. */
export class OutputFollows {
  readonly #parts: Parts;
  readonly #all = new Map<string, Follow>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Publishes the output for `forMs`, counted from now even if it is published already.
   * @returns the offset of the next byte that is published. Followers read earlier output in ranges.
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
        `expected callers to follow at most ${mostFollowed} tasks of a host at a time; found more. Read the output in ranges.`,
      );
    const follow = new Follow(this.#parts, local, task, offset ?? local.snapshot().output.bytes);
    this.#all.set(task, follow);
    follow.goOn(forMs);
    const work = follow.run().finally(() => this.#all.delete(task));
    this.#parts.inBackground('publishing output', work);
    return follow.offset;
  }

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
  /** The offset of the next byte to publish. */
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
        // Skipped output is not published. A follower sees the gap in the offsets.
      }
    } finally {
      this.stop();
    }
  }

  /** Publishes until the end, or until it is too far behind. @returns whether it reached the end. */
  async #publishUntilBehind(): Promise<boolean> {
    const { signal } = this.#stopped;
    for await (const chunk of this.#local.follow({ offset: this.offset, abortSignal: signal })) {
      await this.#publisher.pace(chunk.bytes.length);
      if (signal.aborted) return true;
      // Set this before publishing. A follower that asks from now on has missed the chunk.
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

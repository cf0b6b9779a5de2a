import type { NatsConnection } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { unlessAborted } from '../../util/abort.ts';
import { jsonOf, wireFields } from '../wire/fields.ts';
import { subjects } from '../wire/names.ts';

/** A piece of output, and its offset. */
export interface FollowedOutput {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** The task that is followed. */
export interface Followed {
  readonly id: string;
  readonly host: string;
  wait(options: { until: 'accepted'; abortSignal?: AbortSignal }): Promise<object | null>;
  show(): Promise<{ readonly state: string }>;
  read(range: { offset: number; maxBytes?: number }): Promise<{
    readonly offset: number;
    readonly nextOffset: number;
    readonly bytes: Buffer;
  }>;
  publishOutput(offset: number, forMs: number): Promise<number>;
}

/** How long the host publishes after a request, and how often the client repeats the request, in milliseconds. */
const publishMs = 30_000;
const renewMs = 10_000;
/** The most bytes that wait for a slow reader. More is dropped, and read from the host when the reader needs it. */
const mostWaitingBytes = 4 * 1_024 ** 2;

interface Chunk {
  readonly offset: number;
  readonly bytes: Buffer;
  readonly last: boolean;
}

/**
 * The output of a task from an offset on. Its host publishes pieces, which may be lost or skipped. If the offsets show
 * a gap, this reads the missing range from the host.
 */
export async function* followOutput(
  connection: NatsConnection,
  task: Followed,
  { offset = 0, abortSignal }: { readonly offset?: number; readonly abortSignal?: AbortSignal },
): AsyncGenerator<FollowedOutput, void, undefined> {
  const started = await task.wait({ until: 'accepted', ...(abortSignal && { abortSignal }) });
  if (started === null) return;
  const pieces = new Pieces();
  const subscription = connection.subscribe(subjects.output(task.host, task.id), {
    callback: (error, message) => {
      if (error === null) pieces.put(chunkOf(message.data));
    },
  });
  try {
    let at = offset;
    for (;;) {
      abortSignal?.throwIfAborted();
      // Ask the host to publish before reading the output, so that output in between is published.
      const next = await unlessAborted(abortSignal, task.publishOutput(at, publishMs));
      // Check this before reading the output. If the task is over, the output is complete.
      const isOver = await unlessAborted(abortSignal, hasEnded(task));
      // The host publishes nothing before the offset `next`.
      if (isOver || next > at)
        for await (const piece of stretches(task, at)) {
          yield piece;
          at = piece.offset + piece.bytes.length;
        }
      if (isOver) return;
      const until = performance.now() + renewMs;
      // Stop in time to ask again, even if more pieces wait: otherwise the host stops publishing.
      while (performance.now() < until) {
        const piece = await pieces.take(until, abortSignal);
        if (piece === null) break;
        for await (const missing of stretches(task, at, piece.offset)) {
          yield missing;
          at = missing.offset + missing.bytes.length;
        }
        const rest = piece.bytes.subarray(Math.max(0, at - piece.offset));
        if (piece.offset <= at && rest.length > 0) {
          yield { offset: at, bytes: rest };
          at += rest.length;
        }
        if (piece.last && at >= piece.offset) return;
      }
    }
  } finally {
    subscription.unsubscribe();
  }
}

/** The output between two offsets. Without the second, up to the present end. */
async function* stretches(
  task: Followed,
  from: number,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<FollowedOutput> {
  let at = from;
  while (at < to) {
    const { offset, bytes, nextOffset } = await task.read({
      offset: at,
      ...(to - at < 262_144 && { maxBytes: to - at }),
    });
    if (bytes.length === 0) return;
    yield { offset, bytes };
    at = nextOffset;
  }
}

async function hasEnded(task: Followed): Promise<boolean> {
  const { state } = await task.show();
  return state === 'ended' || state === 'delivered';
}

function chunkOf(data: Uint8Array): Chunk | null {
  try {
    const fields = wireFields(jsonOf(data, 'a piece of output'), 'a piece of output').versioned();
    const bytes = Buffer.from(fields.text('bytes', 128 * 1_024), 'base64');
    return { offset: fields.whole('offset'), bytes, last: fields.flag('last') };
  } catch (error) {
    // It has another version, or is not a piece. Its output is read from the host.
    if (error instanceof OutliveError) return null;
    throw error;
  }
}

/** Pieces that have come and were not taken yet, up to a limit. */
class Pieces {
  #waiting: Chunk[] = [];
  #bytes = 0;
  #wake: (() => void) | undefined;

  put(chunk: Chunk | null): void {
    if (chunk === null || this.#bytes + chunk.bytes.length > mostWaitingBytes) return;
    this.#waiting.push(chunk);
    this.#bytes += chunk.bytes.length;
    this.#wake?.();
  }

  /** The next piece; `null`: none came in time. @param until a value of `performance.now()`. */
  async take(until: number, abortSignal: AbortSignal | undefined): Promise<Chunk | null> {
    if (this.#waiting.length === 0) await this.#come(until - performance.now(), abortSignal);
    abortSignal?.throwIfAborted();
    const chunk = this.#waiting.shift();
    this.#bytes -= chunk?.bytes.length ?? 0;
    return chunk ?? null;
  }

  async #come(ms: number, abortSignal: AbortSignal | undefined): Promise<void> {
    if (ms <= 0 || abortSignal?.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        abortSignal?.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(wake, ms);
      abortSignal?.addEventListener('abort', wake);
      this.#wake = wake;
    });
  }
}

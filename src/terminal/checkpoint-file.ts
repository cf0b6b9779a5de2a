import { expected, tolerate } from '../errors/expected.ts';
import { readSmall, writeWhole } from '../tasklog/files.ts';
import { monotonicMs } from '../util/wait.ts';
import { decodeCheckpoint, encodeCheckpoint, mostCheckpointBytes } from './checkpoint.ts';
import type { LiveScreen, Moment } from './live-screen.ts';
import type { TerminalOutput } from './open-screen.ts';

/** A checkpoint only saves time: without one the screen is made of the output from its start. */
const unreadable = expected('absent', 'refused', 'scarce', 'failing');
const unwritable = expected('absent', 'refused', 'scarce', 'failing', 'full', 'busy');

/** A checkpoint is written when the output has grown so far since the last one, and no sooner than after this time. */
const growth = 1024 ** 2;
const pauseMs = 1_000;

/**
 * The screen that was kept of an output, to go on from. Null if there is none, or if it does not fit: it is incomplete,
 * of another version or of another task, its output was replaced, or the terminal had other sizes.
 */
export async function readCheckpoint(
  path: string,
  owner: string,
  output: TerminalOutput,
): Promise<Moment | null> {
  const checkpoint = decodeCheckpoint(contentOf(path));
  if (checkpoint === null || checkpoint.owner !== owner) return null;
  const { moment } = checkpoint;
  if (moment.offset > output.end || !hasSize(moment, output)) return null;
  return (await isOf(moment, output)) ? moment : null;
}

function contentOf(path: string): Buffer {
  try {
    return readSmall(path, mostCheckpointBytes) ?? Buffer.alloc(0);
  } catch (error) {
    tolerate(error, unreadable, 'reading a kept screen');
    return Buffer.alloc(0);
  }
}

/** A change of size at the very offset may have come before or after. */
function hasSize({ offset, state: { cols, rows } }: Moment, { size, resizes }: TerminalOutput): boolean {
  const before = resizes.findLast((resize) => resize.offset < offset) ?? size;
  const at = resizes.filter((resize) => resize.offset === offset);
  return [before, ...at].some((found) => found.cols === cols && found.rows === rows);
}

/** The output before it is the same. What is cut by now cannot tell. */
async function isOf({ offset, before }: Moment, output: TerminalOutput): Promise<boolean> {
  const from = offset - before.length;
  if (from < output.firstByte) return true;
  const pieces: Uint8Array[] = [];
  for await (const piece of output.read(from, offset)) pieces.push(piece);
  return Buffer.concat(pieces).equals(before);
}

/** Keeps the screen of a task in a file while its output grows, and at the end. */
export class CheckpointWriter {
  readonly #path: string;
  readonly #owner: string;
  #offset: number;
  #atMs = Number.NEGATIVE_INFINITY;
  #due: NodeJS.Timeout | undefined;

  /** @param offset how much of the output the file covers already. */
  constructor(path: string, owner: string, offset = 0) {
    this.#path = path;
    this.#owner = owner;
    this.#offset = offset;
  }

  /** To be called when the screen has been fed: keeps it if much has come since the last time, now or within a second. */
  grown(live: LiveScreen): void {
    if (live.offset - this.#offset < growth || this.#due !== undefined) return;
    const waitMs = this.#atMs + pauseMs - monotonicMs();
    if (waitMs <= 0) {
      this.save(live);
      return;
    }
    // Perhaps no more output comes: it keeps the last of a flood as well.
    this.#due = setTimeout(() => {
      this.#due = undefined;
      this.save(live);
    }, waitMs).unref();
  }

  /**
   * Call it when the screen gets no more output, before its disposal: it keeps the screen if that saves a later reader
   * much work.
   */
  left(live: LiveScreen): void {
    clearTimeout(this.#due);
    if (live.offset - this.#offset >= growth / 4) this.save(live);
  }

  /**
   * Keeps the screen as it is now, such as before output is cut.
   * @returns false where that cannot be: in the middle of an escape sequence, on a full disk, and when it is not exact.
   */
  save(live: LiveScreen): boolean {
    if (live.offset === this.#offset) return true;
    const moment = live.moment();
    const file = moment === null ? null : encodeCheckpoint({ owner: this.#owner, moment });
    if (file === null) return false;
    this.#atMs = monotonicMs();
    try {
      writeWhole(this.#path, file);
    } catch (error) {
      tolerate(error, unwritable, 'keeping a screen');
      return false;
    }
    this.#offset = live.offset;
    return true;
  }
}

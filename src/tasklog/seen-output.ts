/** How many bytes before the last known end show whether the content is still the same. */
const markBytes = 64;

/** A file of output that is open to be looked at. Positions count from its first byte. */
export interface OutputView {
  readonly size: number;
  /** The bytes from a position on, as far as they are there; null: some of them were cut out. */
  bytesAt(position: number, length: number): Buffer | null;
}

/**
 * What this process has seen of a file of output, and whether somebody has made it shorter, as `: > file` does: it is
 * shorter than it was, or other bytes stand before its last known end. Every reader looks through this. Then the file
 * begins anew: its first byte has the offset of the last known end ({@link beginsAt}), and offsets only go up. What is left
 * in it is read once more, since nobody can tell whether it is old, or new and the same.
 */
export class SeenOutput {
  #beginsAt = 0;
  /** The last known end, as an offset. */
  #end = 0;
  /** The bytes before it; none where the end is only known from the record. */
  #mark = '';
  /** Of this the record has told; -1: it was not asked yet. */
  #toldBytes = -1;
  /** It began anew since the record has told more. */
  #isNoticed = false;

  /** The offset of the first byte in the file. */
  get beginsAt(): number {
    return this.#beginsAt;
  }

  /**
   * Takes what the record of the task says: all of it the first time, and later what the shim has noticed and this process
   * has not.
   * @param erasedBytes what the shim knows to be gone, all in all.
   * @param sizeOf how long the file was at least.
   */
  learn(erasedBytes: number, sizeOf: () => number): void {
    const isFirst = this.#toldBytes < 0;
    if (erasedBytes <= this.#toldBytes) return;
    this.#toldBytes = erasedBytes;
    if (isFirst && this.#end === 0) {
      this.#beginsAt = erasedBytes;
      this.#end = erasedBytes + sizeOf();
    } else if (!isFirst && !this.#isNoticed) this.#beginAnew();
    this.#isNoticed = false;
  }

  /** Whether a file is not the one that was seen, or not all of it. */
  isShorter(view: OutputView): boolean {
    const known = this.#end - this.#beginsAt;
    if (view.size < known) return true;
    const there = view.bytesAt(known - this.#mark.length, this.#mark.length);
    // Read while it was made shorter: the next look sees that.
    return there !== null && there.length === this.#mark.length && there.toString('latin1') !== this.#mark;
  }

  /** Takes note of a file as it is. */
  look(view: OutputView): void {
    if (this.isShorter(view)) {
      this.#beginAnew();
      this.#isNoticed = true;
    } else if (this.#beginsAt + view.size === this.#end && this.#mark.length > 0) return;
    this.#end = this.#beginsAt + view.size;
    const length = Math.min(markBytes, view.size);
    // A text: a Buffer of a few bytes would keep the eight kilobytes that it is a part of.
    this.#mark = view.bytesAt(view.size - length, length)?.toString('latin1') ?? '';
  }

  #beginAnew(): void {
    this.#beginsAt = this.#end;
    this.#mark = '';
  }
}

/** What was seen of this many files is kept: of those that were looked at last. */
const mostFiles = 256;

/** What this process has seen of the output of tasks, by the paths of the files. */
export class SeenOutputs {
  readonly #seen = new Map<string, SeenOutput>();
  readonly #kept = new Map<string, number>();

  /** What was seen of a file, which is asked for by everybody who reads it. */
  of(path: string): SeenOutput {
    const seen = this.#seen.get(path) ?? new SeenOutput();
    this.#seen.delete(path);
    this.#seen.set(path, seen);
    this.#forget();
    return seen;
  }

  /** Keeps what is seen of a file until the returned function is called: for somebody who reads it again and again. */
  keep(path: string): () => void {
    this.#kept.set(path, (this.#kept.get(path) ?? 0) + 1);
    return () => {
      const others = (this.#kept.get(path) ?? 1) - 1;
      if (others > 0) this.#kept.set(path, others);
      else this.#kept.delete(path);
    };
  }

  #forget(): void {
    if (this.#seen.size <= mostFiles + this.#kept.size) return;
    for (const oldest of this.#seen.keys()) {
      if (this.#kept.has(oldest)) continue;
      this.#seen.delete(oldest);
      return;
    }
  }
}

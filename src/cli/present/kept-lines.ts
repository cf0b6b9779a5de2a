/** So much memory is taken at a time. */
const chunkBytes = 1024 * 1024;

/** About how many bytes it returns at a time. */
const writtenBytes = 64 * 1024;

interface Line {
  readonly at: number;
  readonly bytes: Buffer;
}

/**
 * Lines of a list that is printed when all of them are known. There may be tens of thousands: they are kept as bytes outside
 * of the heap, which would grow by twice as much.
 */
export class KeptLines {
  readonly #lines: Line[] = [];
  #chunk = Buffer.alloc(0);
  #used = 0;

  /** How many there are. */
  get count(): number {
    return this.#lines.length;
  }

  /** Keeps a line, whose end is part of it. @param at its place in the order. */
  add(at: number, line: string): void {
    // No unit of a string takes more than three bytes.
    const most = 3 * line.length;
    if (this.#used + most > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, most));
      this.#used = 0;
    }
    const end = this.#used + this.#chunk.write(line, this.#used);
    this.#lines.push({ at, bytes: this.#chunk.subarray(this.#used, end) });
    this.#used = end;
  }

  /** All of them in their order, which is that of the calls where `at` is the same. */
  *inOrder(): Generator<string, void, undefined> {
    for (const { bytes } of this.#lines.sort(byPlace)) yield bytes.toString();
  }

  /** The same as bytes to be written, many lines at a time. */
  *pieces(): Generator<Buffer, void, undefined> {
    let some: Buffer[] = [];
    let length = 0;
    for (const { bytes } of this.#lines.sort(byPlace)) {
      some.push(bytes);
      length += bytes.length;
      if (length < writtenBytes) continue;
      yield Buffer.concat(some);
      some = [];
      length = 0;
    }
    yield Buffer.concat(some);
  }
}

function byPlace(a: Line, b: Line): number {
  return a.at - b.at;
}

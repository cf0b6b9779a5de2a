/**
 * Output of the task is gone: its file was opened anew, or made shorter. Appended by the shim when it notices that, and
 * again when it has become twice as much, and with the exit.
 */
export interface ErasedFact {
  readonly fact: 'erased';
  readonly stream: 'stdout' | 'stderr';
  /** How many bytes are known to be gone in total; 0: some may be gone, and nobody knows how many. */
  readonly bytes: number;
  /** When that was noticed, in epoch milliseconds. */
  readonly at: number | null;
}

/** The middle of an ended task's output was cut out, to keep its size in bounds. */
export interface CutFact {
  readonly fact: 'cut';
  readonly stream: 'stdout' | 'stderr';
  /** The first `head` bytes are kept ... */
  readonly head: number;
  /** ... and those from offset `tail` on. */
  readonly tail: number;
  /** Size before the cut. */
  readonly bytes: number;
  /** Bytes of the notice that stands between the two in the file. */
  readonly notice: number;
}

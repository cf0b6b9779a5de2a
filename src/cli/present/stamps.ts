import { type OutputMark, writtenAt } from '../../model/marks.ts';

/** A piece of output that is no longer than a line. */
export interface LinePiece {
  /** When the line began to be written, for the first piece of a line; else empty. */
  readonly stamp: string;
  readonly bytes: Buffer;
}

/** Divides output that comes in chunks into lines, and says when each was written. */
export class Stamps {
  #isInside = false;

  /** @param marks when the output had grown how far. */
  pieces(
    chunk: { readonly bytes: Buffer; readonly offset: number },
    marks: readonly OutputMark[],
  ): LinePiece[] {
    const pieces: LinePiece[] = [];
    for (let at = 0; at < chunk.bytes.length; ) {
      const lineEnd = chunk.bytes.indexOf(0x0a, at) + 1;
      const end = lineEnd === 0 ? chunk.bytes.length : lineEnd;
      const stamp = this.#isInside ? '' : stampOf(writtenAt(marks, chunk.offset + at));
      pieces.push({ stamp, bytes: chunk.bytes.subarray(at, end) });
      this.#isInside = lineEnd === 0;
      at = end;
    }
    return pieces;
  }
}

/** The marks that say when a stretch was written: those in it, and the first one after it. */
export function marksOf(
  { offset, nextOffset }: { readonly offset: number; readonly nextOffset: number },
  marks: readonly OutputMark[],
): OutputMark[] {
  const last = marks.findIndex((mark) => mark.offset >= nextOffset);
  return marks.slice(0, last < 0 ? undefined : last + 1).filter((mark) => mark.offset > offset);
}

/** The last one that was made: many lines were written at one time. */
let last: { readonly at: number; readonly stamp: string } | undefined;

/** When something was written, in front of a line: UTC, to the millisecond, of always the same width. */
export function stampOf(at: number | null): string {
  if (at === null) return unknown;
  if (last?.at !== at) last = { at, stamp: `${new Date(at).toISOString()} ` };
  return last.stamp;
}

const unknown = `${'-'.repeat(24)} `;

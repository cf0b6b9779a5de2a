import type { OutputChunk } from '../api/output.ts';
import { plainText } from '../model/plain-text.ts';
import { characterEnd, characterStart } from '../util/bytes.ts';
import type { LinesData, LinesWhere, LogLine, StreamName } from './protocol.ts';

/** How much output is read for one answer, in bytes. */
const stretchBytes = 64 * 1024;

/** A line that is longer than this, in bytes, is shown in pieces. */
const longestPiece = 4096;

/** How many bytes before the requested lines it searches for the beginning of a line. */
const lookBackBytes = 16 * 1024;

const lineFeed = 0x0a;

/** Marks that change the direction of text. They could make a line look like other text. */
const direction = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** What output is read from. */
interface Readable {
  read(options: { offset: number; maxBytes: number; stream: StreamName }): Promise<OutputChunk>;
}

/** Lines of an output after an offset, before it or around it. */
export async function linesAt(
  task: Readable,
  stream: StreamName,
  where: LinesWhere,
  asked: number,
): Promise<LinesData> {
  // A page that asks for the end may not know where the end is.
  const offset = Math.min(asked, (await task.read({ offset: asked, maxBytes: 1, stream })).size);
  if (where === 'behind') return linesOf(await task.read({ offset, maxBytes: stretchBytes, stream }));
  const isBefore = where === 'before';
  const from = Math.max(0, offset - (isBefore ? stretchBytes : lookBackBytes));
  const maxBytes = Math.max(1, offset - from + (isBefore ? 0 : stretchBytes));
  const chunk = await task.read({ offset: from, maxBytes, stream });
  if (isBefore && chunk.offset >= offset) {
    // The bytes right before it are gone: the next older lines are before the gap.
    const gap = await beginOfGap(task, stream, offset);
    if (gap > 0) return await linesAt(task, stream, 'before', gap);
    return { ...linesOf(chunk), lines: [], from: 0, to: 0 };
  }
  return linesOf(from > 0 && chunk.offset === from ? fromLineStart(chunk, isBefore, offset) : chunk);
}

/** The first offset of the missing bytes that reach up to `end`. */
async function beginOfGap(task: Readable, stream: StreamName, end: number): Promise<number> {
  let [low, high] = [0, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { offset } = await task.read({ offset: middle, maxBytes: 4, stream });
    if (offset > middle) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Splits a chunk into lines that can be shown. */
export function linesOf(chunk: OutputChunk): LinesData {
  const { bytes, offset, nextOffset, size, beginsAt } = chunk;
  const lines: LogLine[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(lineFeed, at);
    const lineEnd = end < 0 ? bytes.length : end;
    const isLong = lineEnd - at > longestPiece;
    const pieceEnd = isLong ? Math.max(at + 1, characterEnd(bytes, at + longestPiece)) : lineEnd;
    const text = shownText(bytes.toString('utf8', at, pieceEnd));
    const isOpen = isLong || end < 0;
    lines.push({ offset: offset + at, text, ...(isOpen && { open: true as const }) });
    at = isLong ? pieceEnd : lineEnd + 1;
  }
  return { lines, from: offset, to: nextOffset, size, beginsAt };
}

/** One line as a terminal would show it, with direction marks made visible. */
export function shownText(raw: string): string {
  return plainText(raw)
    .replaceAll('\n', ' ')
    .replace(direction, (mark) => `\\u{${mark.codePointAt(0)?.toString(16)}}`);
}

/** The chunk without the partial line at its beginning. If the chunk is part of one line, it is kept whole. */
function fromLineStart(chunk: OutputChunk, isBefore: boolean, offset: number): OutputChunk {
  const before = chunk.bytes.subarray(0, Math.max(0, offset - chunk.offset));
  // Around an offset, the nearest line start before it is enough, so that little is shown twice.
  const end = isBefore ? before.indexOf(lineFeed) : before.subarray(0, -1).lastIndexOf(lineFeed);
  const isUseful = end >= 0 && end + 1 < chunk.bytes.length;
  const skip = isUseful ? end + 1 : characterStart(chunk.bytes, 0);
  return { ...chunk, bytes: chunk.bytes.subarray(skip), offset: chunk.offset + skip };
}

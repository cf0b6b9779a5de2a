import type { LinesData, LogLine } from '../protocol.ts';

/** Lines of output that are shown as one text. */
export interface Block {
  /** Counts up: a key. */
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly lines: readonly LogLine[];
  readonly text: string;
}

/** A block with so many bytes of output is full: the next lines begin another one. */
const blockBytes = 48 * 1024;

/** How many blocks it keeps. It asks for others when a person scrolls there. */
const mostBlocks = 16;

/** An open line is not joined beyond this length, in characters. */
const longestLine = 8192;

let nextId = 1;

/** The part of an output that the page has. Blocks never change: a block that grows is replaced by a new one. */
export class LogWindow {
  readonly blocks: readonly Block[];
  readonly size: number;
  readonly beginsAt: number;

  constructor(blocks: readonly Block[] = [], size = 0, beginsAt = 0) {
    this.blocks = blocks;
    this.size = size;
    this.beginsAt = beginsAt;
  }

  get from(): number {
    return this.blocks[0]?.from ?? 0;
  }

  get to(): number {
    return this.blocks.at(-1)?.to ?? 0;
  }

  /** A window with only these lines. */
  static of(data: LinesData): LogWindow {
    return new LogWindow([blockOf(data.lines, data.from, data.to)], data.size, data.beginsAt);
  }

  /** Adds lines after all others. If there are too many, the first ones are dropped. */
  append(data: LinesData): LogWindow {
    const last = this.blocks.at(-1);
    const isNext = last !== undefined && data.from === last.to;
    const grows = isNext && last.to - last.from < blockBytes;
    const blocks = grows
      ? [
          ...this.blocks.slice(0, -1),
          { ...blockOf(joined(last.lines, data.lines), last.from, data.to), id: last.id },
        ]
      : [...this.blocks, blockOf(data.lines, data.from, data.to)];
    return new LogWindow(blocks.slice(-mostBlocks), data.size, data.beginsAt);
  }

  /** Adds lines before all others. If there are too many, the last ones are dropped. */
  prepend(data: LinesData): LogWindow {
    const blocks = [blockOf(data.lines, data.from, data.to), ...this.blocks];
    return new LogWindow(blocks.slice(0, mostBlocks), data.size, data.beginsAt);
  }

  /**
   * Where the line with an offset is: its block, and the index of its first character in the block's text. Null if it
   * is not here.
   */
  placeOf(offset: number): { readonly block: Block; readonly index: number; readonly line: string } | null {
    const block = this.blocks.find(({ from, to }) => offset >= from && offset < to);
    if (block === undefined) return null;
    let index = 0;
    for (const [at, { text }] of block.lines.entries()) {
      const next = block.lines[at + 1];
      if (next === undefined || next.offset > offset) return { block, index, line: text };
      index += text.length + 1;
    }
    return null;
  }
}

function blockOf(lines: readonly LogLine[], from: number, to: number): Block {
  return { id: nextId++, from, to, lines, text: lines.map(({ text }) => text).join('\n') };
}

/** The first of the new lines may be the rest of an open line. */
function joined(lines: readonly LogLine[], more: readonly LogLine[]): LogLine[] {
  const [last, first] = [lines.at(-1), more[0]];
  if (last?.open !== true || first === undefined || last.text.length > longestLine)
    return [...lines, ...more];
  const text = last.text + first.text;
  const line = { offset: last.offset, text, ...(first.open && { open: first.open }) };
  return [...lines.slice(0, -1), line, ...more.slice(1)];
}

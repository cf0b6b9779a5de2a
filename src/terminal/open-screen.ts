import { monotonicMs, yieldToOthers } from '../util/wait.ts';
import { LiveScreen, type Moment, type Resize } from './live-screen.ts';
import type { TerminalSize } from './state.ts';

/** What a task has written to its terminal. Offsets count the bytes as they were written. */
export interface TerminalOutput {
  /** The size with which the terminal began. */
  readonly size: TerminalSize;
  /** In the order of their offsets. */
  readonly resizes: readonly Resize[];
  /** The first byte that is still there: output may be cut or lost. */
  readonly firstByte: number;
  readonly end: number;
  /** The bytes from one offset up to another, in pieces of any size. */
  read(from: number, to: number): AsyncIterable<Uint8Array>;
}

/** How much is taken at a time, and for how long before others have their turn. */
const pieceBytes = 16 * 1024;
const turnMs = 5;

/**
 * A {@link LiveScreen} that has been fed with all of an output, and can be fed on. Others have their turn each 5 ms.
 * @param moment what was kept for an offset: of this output, since nothing here tells.
 * @param answer as in {@link LiveScreen.open}: it is told nothing of this output.
 * @returns it, and `whole`: false when the beginning of the output is lost, and what it left on the screen with it.
 */
export async function openScreen(
  output: TerminalOutput,
  moment: Moment | null = null,
  answer?: (text: string) => void,
): Promise<{ readonly live: LiveScreen; readonly whole: boolean }> {
  const { firstByte, end, resizes } = output;
  const start = moment?.offset ?? 0;
  const from = Math.max(start, firstByte);
  const size = sizeAt(output, from);
  const live = await LiveScreen.open({
    from: moment ?? size,
    offset: start,
    ...(answer === undefined ? {} : { answer }),
  });
  live.skipTo(from);
  if (moment !== null) live.resize({ ...size, offset: from });
  for (const resize of resizes.filter(({ offset }) => offset > from && offset <= end)) live.resize(resize);
  try {
    let begin = monotonicMs();
    for await (const bytes of output.read(from, end)) {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        live.feed(bytes.subarray(at, at + pieceBytes));
        if (monotonicMs() - begin < turnMs) continue;
        await yieldToOthers();
        begin = monotonicMs();
      }
    }
    return { live, whole: from === start };
  } catch (error) {
    live[Symbol.dispose]();
    throw error;
  }
}

/** The size that a terminal had when a byte was about to be written. */
function sizeAt({ size, resizes }: Pick<TerminalOutput, 'size' | 'resizes'>, at: number): TerminalSize {
  const { cols, rows } = resizes.findLast(({ offset }) => offset <= at) ?? size;
  return { cols, rows };
}

import type { OutputChunk } from '../../api/output.ts';
import type { Task } from '../../api/task.ts';
import { plainText } from '../../model/plain-text.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { isEnded } from '../../model/words.ts';

/** Bytes of output that come with an answer. */
const answerBytes = 4_096;

/** For a failed command, how many of them come from its beginning: the first error is often the cause. */
const headBytes = 1_024;

/** What an answer shows of an output: whole lines of its end and, if the command failed, also of its beginning. */
export interface Excerpt {
  /** `null`: the end is all there is to show. */
  readonly head: OutputChunk | null;
  readonly tail: OutputChunk;
}

/** Reads what an answer shows of the output of a task. */
export async function excerptOf(task: Task, snapshot: TaskSnapshot): Promise<Excerpt> {
  const whole = await task.tail({ maxBytes: answerBytes });
  if (whole.omittedBytes === 0) return { head: null, tail: whole };
  const failed = isEnded(snapshot.status) && snapshot.status !== 'completed';
  if (!failed) return { head: null, tail: fromWholeLine(whole) };
  const tail = fromWholeLine(await task.tail({ maxBytes: answerBytes - headBytes }));
  const head = toWholeLine(await task.read({ offset: tail.beginsAt, maxBytes: headBytes }));
  return { head, tail };
}

const lineFeed = 0x0a;

/** Leaves out the cut line at the beginning. A line that is longer than the excerpt stays cut. */
function fromWholeLine(chunk: OutputChunk): OutputChunk {
  const begin = chunk.bytes.indexOf(lineFeed) + 1;
  return begin === 0 || begin === chunk.bytes.length ? chunk : part(chunk, begin, chunk.bytes.length);
}

function toWholeLine(chunk: OutputChunk): OutputChunk {
  const end = chunk.bytes.lastIndexOf(lineFeed) + 1;
  return end === 0 ? chunk : part(chunk, 0, end);
}

/** A part of a chunk. */
function part(chunk: OutputChunk, from: number, to: number): OutputChunk {
  const bytes = chunk.bytes.subarray(from, to);
  const text = bytes.toString('utf8');
  return {
    ...chunk,
    bytes,
    text,
    plain: plainText(text),
    offset: chunk.offset + from,
    nextOffset: chunk.offset + to,
    omittedBytes: chunk.omittedBytes + from,
  };
}

import type { OutputChunk } from '../api/output.ts';
import type { Task } from '../api/task.ts';
import { characterStart } from '../util/bytes.ts';

/** The end of an output as text, and whether something before it is left out. */
export interface TailText {
  readonly text: string;
  readonly truncated: boolean;
}

/** The end of a task's output: as UTF-8 at most so many bytes, whole characters alone. */
export async function tailText(task: Task, maxBytes: number): Promise<TailText> {
  const found = await lastOf(task, Math.max(1, maxBytes));
  // Bytes that are no UTF-8 become three each.
  const bytes = Buffer.from(found.text);
  const over = bytes.length - maxBytes;
  if (over <= 0) return { text: found.text, truncated: found.omittedBytes > 0 };
  return { text: bytes.subarray(characterStart(bytes, over)).toString(), truncated: true };
}

/** The last bytes that are there. Of an output that was cut to head and tail, a tail that begins in the head stops at the cut. */
async function lastOf(task: Task, maxBytes: number): Promise<OutputChunk> {
  const found = await task.tail({ maxBytes });
  // Of a running task a part of a character may be left for later: at most three bytes.
  const stopsEarly = found.size - found.nextOffset > 3;
  return stopsEarly ? await task.read({ offset: found.nextOffset, maxBytes }) : found;
}

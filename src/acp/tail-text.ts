import type { Task } from '../api/task.ts';
import { characterStart } from '../util/bytes.ts';

/** The end of an output as text, and whether something before it is left out, or gone. */
export interface TailText {
  readonly text: string;
  readonly truncated: boolean;
  readonly beginsAt: number;
}

/** The end of a task's output: at most this many bytes of UTF-8, in complete characters. */
export async function tailText(task: Task, maxBytes: number): Promise<TailText> {
  const found = await task.tail({ maxBytes: Math.max(1, maxBytes) });
  const { beginsAt } = found;
  // Bytes that are no UTF-8 become three each.
  const bytes = Buffer.from(found.text);
  const over = bytes.length - maxBytes;
  if (over <= 0) return { text: found.text, truncated: found.omittedBytes + beginsAt > 0, beginsAt };
  return { text: bytes.subarray(characterStart(bytes, over)).toString(), truncated: true, beginsAt };
}

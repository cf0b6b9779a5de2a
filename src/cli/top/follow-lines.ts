import type { TaskReader } from '../../api/task-reader.ts';
import type { SerialQueue } from '../../util/queue.ts';
import { sleep } from '../../util/wait.ts';
import type { Stream } from '../logs/begin.ts';
import type { LogLines } from './log-lines.ts';

/** How often it reads the new output of a task that writes fast, in milliseconds. */
const followMs = 50;

/** What is so far ahead of what was read is not read: the end is. */
const farBytes = 1024 * 1024;

/** What is followed, and by whom. */
export interface Following {
  readonly task: TaskReader;
  readonly stream: Stream;
  readonly lines: LogLines;
  /** Other readers that add lines wait for their turn here. */
  readonly work: SerialQueue;
  readonly abortSignal: AbortSignal;
  changed(): void;
}

/** Takes the end of the output up into lines as it grows, until the task has ended and all was read. */
export async function followLines(following: Following): Promise<void> {
  while (await takesJump(following));
}

/** @returns whether the output has run so far ahead that it read the end, and must follow from there. */
async function takesJump({ task, stream, lines, work, abortSignal, changed }: Following): Promise<boolean> {
  for await (const chunk of task.follow({ offset: lines.end, stream, abortSignal })) {
    const isFar = chunk.size - chunk.nextOffset > farBytes;
    await work.run(async () => {
      if (abortSignal.aborted) return;
      if (isFar) await lines.toEnd();
      else lines.add(chunk);
    });
    changed();
    await sleep(followMs);
    if (isFar && !abortSignal.aborted) return true;
  }
  return false;
}

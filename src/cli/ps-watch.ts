import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../api/store.ts';
import type { StoreWatchOptions } from '../api/watch-store.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { monotonicMs } from '../util/wait.ts';
import { untilInterrupted } from './interrupt.ts';
import type { Io } from './io.ts';
import type { Processes } from './present/ps-rows.ts';
import { WatchedTasks } from './watched-tasks.ts';

/** It draws changes within this many milliseconds together. */
const gatherMs = 200;

/** Ages grow, so it draws the list at least this often, in milliseconds. */
const redrawMs = 1_000;

/** A list as text, from its tasks, the oldest first, and what their processes do. */
type ToText = (tasks: readonly TaskSnapshot[], processesOf: (taskId: string) => Processes) => string;

/** Draws the tasks whenever one changes, on the other screen of the terminal, which is left as it was found. */
export async function watchTasks(
  io: Io,
  store: Store,
  filter: Pick<StoreWatchOptions, 'sessionId' | 'live'>,
  toText: ToText,
): Promise<void> {
  await io.out('\x1b[?1049h\x1b[?25l');
  try {
    await untilInterrupted(async (abortSignal) => {
      const list = new WatchedTasks(filter.live === true);
      // With a byte of output in the snapshots, output that grows is told.
      const reading = list.read(store.watch({ ...filter, usage: true, previewBytes: 1, abortSignal }));
      await Promise.all([reading, draw(io, list, toText, abortSignal)]);
    });
  } finally {
    await io.out('\x1b[?25h\x1b[?1049l');
  }
}

async function draw(io: Io, list: WatchedTasks, toText: ToText, abortSignal: AbortSignal): Promise<void> {
  let drawnAt: number | null = null;
  while (!list.isOver && !abortSignal.aborted) {
    const isOld = drawnAt !== null && monotonicMs() - drawnAt >= redrawMs;
    if (list.takeNews() || isOld) {
      drawnAt = monotonicMs();
      const heading = `outlive ps, ${new Date().toLocaleTimeString()}; Ctrl-C ends it\n\n`;
      await io.out(
        `\x1b[H${fitted(heading + toText(list.tasks(), (taskId) => list.processesOf(taskId)))}\x1b[J`,
      );
    }
    await sleep(gatherMs, undefined, { signal: abortSignal }).catch((error: unknown) => {
      if (!abortSignal.aborted) throw error;
    });
  }
}

/** As many lines as the terminal has; the rest of each line is cleared. */
function fitted(text: string): string {
  const height = process.stdout.rows || 24;
  return text
    .trimEnd()
    .split('\n')
    .slice(0, height - 1)
    .map((line) => `${line}\x1b[K\n`)
    .join('');
}

import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import { type CommonOptions, findOne, withStoreToRead } from './open.ts';
import { jsonLine } from './present/task.ts';

interface ScreenVerbOptions extends CommonOptions {
  readonly cells?: boolean;
}

/** `outlive screen`: what the terminal of a task shows. */
export async function screen(
  io: Io,
  [reference = '']: readonly string[],
  options: ScreenVerbOptions,
): Promise<number> {
  return await withStoreToRead(options, async (store) => {
    const { taskId } = findOne(io, store, reference, options);
    const shown = await store.task(taskId).screen({ cells: io.json && options.cells === true });
    await io.out(io.json ? jsonLine({ taskId, ...shown }) : screenText(shown.lines));
    return exitStatus.ok;
  });
}

/** Without the empty rows below the last one that has text. */
export function screenText(lines: readonly string[]): string {
  const last = lines.findLastIndex((line) => line !== '');
  return lines
    .slice(0, last + 1)
    .map((line) => `${line}\n`)
    .join('');
}

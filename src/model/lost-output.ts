import type { OutputSummary } from './snapshot.ts';

/**
 * What is not there of a task's output although it was written, in a sentence without its full stop; `null`: nothing that
 * was noticed.
 */
export function lostOutput({ erasedBytes, droppedBytes }: OutputSummary): string | null {
  if (droppedBytes > 0)
    return `${droppedBytes} bytes of its output are lost, since the disk did not take them`;
  if (erasedBytes === 0) return null;
  const what = erasedBytes === null ? 'some of its output may be' : `${erasedBytes} bytes of its output are`;
  return `${what} erased: something opened the file anew, as "> /dev/stderr" does`;
}

/** What opens the output anew, and erases what is in it, unless it appends. */
const names = /(>>\s*)?(\/dev\/std(?:out|err))\b/g;

/**
 * The file by which a command's text seems to open its own output anew; `null`: none is in it. A hint: the text may only
 * speak of it, and what it runs may do the same.
 */
export function reopensOutput(command: string): string | null {
  for (const [, appends, name] of command.matchAll(names)) if (appends === undefined) return name ?? null;
  return null;
}

import type { Facts } from '../model/fold.ts';
import type { OutputFile } from '../tasklog/output.ts';
import { type SessionPaths, taskPaths } from '../tasklog/paths.ts';

/** One of a task's output streams. Without `separate`, stdout holds both. */
export type Stream = 'stdout' | 'stderr';

/** The file of a stream, with what was cut out of it. */
export function outputFile(paths: SessionPaths, taskId: string, stream: Stream, facts: Facts): OutputFile {
  return {
    path: taskPaths(paths, taskId)[stream],
    cut: facts.cuts.findLast((cut) => cut.stream === stream),
  };
}

import { lostOutput } from '../../model/lost-output.ts';
import type { OutputSummary } from '../../model/snapshot.ts';

/** How a command keeps its output that opens it anew. */
export const keepAll = 'To keep all of it: outlive run --output pipe';

/** What of the output is gone, and how all of it is kept the next time; `null`: nothing that was noticed. */
export function lostNote(output: OutputSummary): string | null {
  const lost = lostOutput(output);
  return lost === null || output.droppedBytes > 0 ? lost : `${lost}. ${keepAll}`;
}

import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { livesHere } from '../platform/identity.ts';
import type { System } from '../platform/system.ts';
import { namesIn } from '../tasklog/files.ts';
import { cutWriter } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';

/** Removes the shortened outputs of processes that died while they wrote them. */
export function sweepCuts(context: SessionContext): void {
  for (const name of namesIn(context.paths.output)) {
    if (!isAbandonedCut(name, context.store.system)) continue;
    try {
      unlinkSync(join(context.paths.output, name));
    } catch {
      // Removed by somebody else, or the store is read-only.
    }
  }
}

/** Whether that is the name of a shortened output whose writer is gone. */
export function isAbandonedCut(name: string, system: System): boolean {
  const writer = cutWriter(name);
  return writer !== null && !livesHere(writer.pid, writer.start || null, system);
}

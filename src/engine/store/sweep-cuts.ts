import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import { livesHere } from '../../platform/identity.ts';
import type { System } from '../../platform/system.ts';
import { cutWriter } from '../../tasklog/paths.ts';
import { passing } from '../session/background.ts';
import type { SessionContext } from '../session/context.ts';

/** Removes a file among the outputs if it is the shortened output of a process that died while it wrote it. */
export function sweepCut(context: SessionContext, name: string): void {
  if (!isAbandonedCut(name, context.store.system)) return;
  try {
    unlinkSync(join(context.paths.output, name));
  } catch (error) {
    // Removed by somebody else, or the store is read-only.
    tolerate(error, passing, 'removing a shortened output');
  }
}

/** Whether that is the name of a shortened output whose writer is gone. */
export function isAbandonedCut(name: string, system: System): boolean {
  const writer = cutWriter(name);
  return writer !== null && !livesHere(writer.pid, writer.start || null, system);
}

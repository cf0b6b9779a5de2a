import type { System } from '../../platform/system.ts';
import { type MarkedProcess, marksIn, removeMark } from '../session/process-marks.ts';

/** The keepers of a store on this machine that live. Removes the marks of those who do not. */
export function livingKeepers(dir: string, system: System): readonly MarkedProcess[] {
  const { living, dead } = marksIn(dir, 'keeper', system);
  for (const path of dead) removeMark(path);
  return living;
}

import { existsSync } from 'node:fs';
import { report } from '../engine/session/background.ts';
import { leaveOrphan } from '../engine/spawn/orphans.ts';
import { isOwnProc } from '../platform/linux/proc.ts';
import type { System } from '../platform/system.ts';
import { unavailable } from '../shim/ask.ts';
import { shimFinder } from '../shim/program.ts';
import { holdProcess } from '../util/wait.ts';
import { type Finding, fine, warning } from './finding.ts';

/** A first process that reaps from time to time has done so by then. */
const reapedWithinMs = 5_000;

/** Whether shims that have ended are reaped when their spawner has ended before. Nothing where that cannot be tried. */
export async function checkOrphans(dir: string, system: System): Promise<Finding[]> {
  if (process.platform === 'win32' || (process.platform === 'linux' && !isOwnProc())) return [];
  const release = holdProcess();
  try {
    const { path } = shimFinder(dir).choose();
    if (!existsSync(path)) return [];
    const isReaped = await leaveOrphan(path, system);
    if (await isReaped(reapedWithinMs)) return [fine('orphans', 'a process that loses its parent is reaped')];
    return [
      warning(
        'orphans',
        'no process reaps a process that loses its parent: when a task outlives its spawner, its shim stays a zombie. Other shims stay children of their spawners',
        'Start the container with a first process that reaps, such as "docker run --init", or "init: true" in a compose file.',
      ),
    ];
  } catch (error) {
    // Without a shim, or without a process to be had, another check says so.
    report({ store: { dir } }, 'finding out which process reaps orphans', error, { codes: unavailable });
    return [];
  } finally {
    release();
  }
}

import { basename } from 'node:path';
import type { Facts } from '../../model/fold.ts';
import { removeGroup } from '../../platform/linux/cgroup.ts';
import { after } from '../../util/wait.ts';

/** The name of a task's cgroup: the session's own prefix, and the id of the task. */
export const groupPattern = /^outlive-[0-9a-f]{12}-(bgb-[0-9a-f]{12})(?:\.scope)?$/;

/** The cgroup of a task; null when it has none. */
export function groupOf({ spec }: Facts): string | null {
  const { cgroup, taskId } = spec ?? {};
  if (cgroup === undefined) return null;
  // Whatever a record says, only a group that can be a task's is ever killed or removed.
  const isOwn = groupPattern.exec(basename(cgroup))?.[1] === taskId;
  return isOwn && cgroup.startsWith('/') ? cgroup : null;
}

/** When a group is tried again that cannot be removed: a process that was killed may take a moment to be gone. In milliseconds. */
const againMs = [100, 1_000, 10_000] as const;

/** Removes the cgroup of a task that has ended. One with leftovers in it is tried again a few times, and stays until somebody sweeps it. */
export function dropGroup(facts: Facts): void {
  const group = groupOf(facts);
  if (group !== null) drop(group, againMs);
}

function drop(group: string, [pauseMs, ...rest]: readonly number[]): void {
  if (!removeGroup(group) && pauseMs !== undefined) after(pauseMs, () => drop(group, rest));
}

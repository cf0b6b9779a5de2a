import { basename } from 'node:path';
import type { Facts } from '../../model/fold.ts';
import { removeGroup } from '../../platform/linux/cgroup.ts';

/** The name of a task's cgroup: the session's own prefix, and the id of the task. */
export const groupPattern = /^outlive-[0-9a-f]{12}-(bgb-[0-9a-f]{12})(?:\.scope)?$/;

/** The cgroup of a task; null when it has none. */
export function groupOf({ spec }: Facts): string | null {
  const { cgroup = '', taskId = '' } = spec ?? {};
  // Whatever a record says, only a group that can be a task's is ever killed or removed.
  const isOwn = groupPattern.exec(basename(cgroup))?.[1] === taskId;
  return isOwn && cgroup.startsWith('/') ? cgroup : null;
}

/** Removes the cgroup of a task that has ended; one with leftovers in it stays until they have ended, too. */
export function dropGroup(facts: Facts): void {
  const group = groupOf(facts);
  if (group !== null) removeGroup(group);
}

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  type HeldLimit,
  type LimitHolder,
  type ResourceLimit,
  type ResourceLimits,
  resourceLimits,
} from '../../model/held-limits.ts';
import { type CgroupHome, groupsNamed, makeGroup, removeGroup } from '../../platform/linux/cgroup.ts';
import { scopeWords } from '../../platform/linux/systemd.ts';
import type { ShimLimits } from '../../shim/request.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { groupPattern } from '../processes/cgroup.ts';
import type { SessionContext } from '../session/context.ts';

/** How the limits of a new task are made to hold. */
export interface HeldResources {
  /** For the spec. */
  readonly recorded: { readonly limits?: readonly HeldLimit[]; readonly cgroup?: string };
  /** What to put in front of the command, so that it runs in a cgroup that another program makes. */
  readonly launcher: readonly string[];
  /** What the command does to itself before it runs. */
  readonly limits: ShimLimits;
}

/** A task without limits. */
export const unlimited: HeldResources = { recorded: {}, launcher: [], limits: {} };

/**
 * Makes what the limits of a new task need: a cgroup where one can be made. Each limit is held by it when it has the
 * controller, else by the process itself.
 */
export async function holdResources(
  context: SessionContext,
  taskId: string,
  resources: ResourceLimits,
): Promise<HeldResources> {
  const asked = resourceLimits.filter((limit) => resources[limit] !== undefined);
  if (asked.length === 0) return unlimited;
  const home = asked.every((limit) => limit === 'niceness') ? null : await context.store.cgroups();
  const name = groupPrefix(context) + taskId;
  const cgroup = home === null ? null : groupIn(context, home, name, resources);
  const limits = asked.map((limit): HeldLimit => {
    return { limit, value: resources[limit] ?? 0, by: holder(limit, cgroup === null ? null : home) };
  });
  const starter = home?.starter ?? null;
  return {
    recorded: { limits, ...(cgroup === null ? {} : { cgroup }) },
    launcher: starter === null ? [] : scopeWords(starter, name, resources),
    limits: {
      ...limitsOfItself(limits),
      ...(starter === null && cgroup !== null ? { cgroup } : {}),
    },
  };
}

/** The group of a new task: made now, or by systemd when the command starts. Null when it cannot be made. */
function groupIn(
  context: SessionContext,
  home: CgroupHome,
  name: string,
  resources: ResourceLimits,
): string | null {
  if (home.starter !== null) return join(home.dir, `${name}.scope`);
  sweepGroups(context, home);
  return makeGroup(home, name, resources);
}

function holder(limit: ResourceLimit, home: CgroupHome | null): LimitHolder {
  switch (limit) {
    case 'memoryBytes':
      return home?.controllers.has('memory') ? 'cgroup' : 'ulimit';
    case 'processes':
      if (home?.controllers.has('pids')) return 'cgroup';
      // The kernel does not count the processes of root.
      return process.geteuid?.() === 0 ? 'nothing' : 'ulimit';
    case 'cpuSeconds':
      return 'ulimit';
    case 'niceness':
      return 'nice';
  }
}

/** The limits that no cgroup holds. What holds nothing for root holds for a user that the command becomes. */
function limitsOfItself(limits: readonly HeldLimit[]): ShimLimits {
  const own = limits.filter(({ by }) => by !== 'cgroup');
  const { niceness, ...rest } = Object.fromEntries(own.map(({ limit, value }) => [limit, value]));
  return { ...rest, ...(niceness === undefined ? {} : { nicer: niceness - getPriority() }) };
}

/** Removes groups of this session that a crash left without a record: the log of a task is there before its group. */
function sweepGroups(context: SessionContext, home: CgroupHome): void {
  const prefix = groupPrefix(context);
  for (const name of groupsNamed(home.dir, prefix)) {
    const { log } = taskPaths(context.paths, name.slice(prefix.length));
    if (groupPattern.test(name) && !existsSync(log)) removeGroup(join(home.dir, name));
  }
}

/** The session's own, so that no process takes the groups of another store for strays. */
function groupPrefix(context: SessionContext): string {
  const { dir } = context.paths;
  const hash = createHash('sha256')
    .update(`${dirname(dir)}\0${basename(dir)}`)
    .digest('hex')
    .slice(0, 12);
  return `outlive-${hash}-`;
}

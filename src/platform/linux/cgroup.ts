import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expected, tolerate } from '../../errors/expected.ts';
import { trace } from '../../util/topic.ts';

/** It is not there, not ours, full, in use, or does not have that; cgroups say so with many codes. */
const refusals = expected('absent', 'refused', 'full', 'scarce', 'busy', 'unsupported', 'ERANGE');

/** A cgroup (version 2) below which groups for tasks can be made. */
export interface CgroupHome {
  readonly dir: string;
  /** The controllers that those groups have, such as `memory` and `pids`. */
  readonly controllers: ReadonlySet<string>;
  /** What starts a program in a group, where systemd makes the groups; null: we make them, and programs enter them. */
  readonly starter: readonly string[] | null;
}

/** What a group of a task limits. */
export interface GroupLimits {
  readonly memoryBytes?: number | undefined;
  readonly processes?: number | undefined;
}

/** Makes a group. The limits that it holds are those whose controllers the home has; null when it cannot be made. */
export function makeGroup(home: CgroupHome, name: string, limits: GroupLimits): string | null {
  const dir = join(home.dir, name);
  try {
    mkdirSync(dir);
    if (limits.memoryBytes !== undefined && home.controllers.has('memory')) {
      writeFileSync(join(dir, 'memory.max'), String(limits.memoryBytes));
      // Else what is too much goes to the swap space, where there is some.
      writeGroupFile(join(dir, 'memory.swap.max'), '0');
    }
    if (limits.processes !== undefined && home.controllers.has('pids'))
      writeFileSync(join(dir, 'pids.max'), String(limits.processes));
    return dir;
  } catch (error) {
    tolerate(error, refusals, 'making a cgroup');
    removeGroup(dir);
    return null;
  }
}

/** Removes a group that is empty, with those that were made below it. False when processes are in it. */
export function removeGroup(dir: string): boolean {
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(dir, entry.name));
    rmdirSync(dir);
    return true;
  } catch (error) {
    tolerate(error, refusals, 'removing a cgroup');
    return false;
  }
}

/** Kills every process of a group and of those below it, at one stroke. False where the kernel cannot (before 5.14). */
export function killGroup(dir: string): boolean {
  const isKilled = writeGroupFile(join(dir, 'cgroup.kill'), '1');
  trace(() => `SIGKILL to the cgroup ${dir}${isKilled ? '' : ', which has no cgroup.kill'}`);
  return isKilled;
}

/** The processes of a group and of those below it; 0 stands for those of another pid namespace, and is left out. */
export function pidsOfGroup(dir: string): number[] {
  const own = wordsOf(readGroupFile(join(dir, 'cgroup.procs')) ?? '').map(Number);
  const below = foldersIn(dir).flatMap((name) => pidsOfGroup(join(dir, name)));
  return [...own, ...below].filter((pid) => pid > 1);
}

/** How many processes of a group the kernel has killed because its memory was used up. */
export function oomKillsOfGroup(dir: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(readGroupFile(join(dir, 'memory.events')) ?? '')?.[1] ?? 0);
}

/** The names of the groups in a home that begin so. */
export function groupsNamed(dir: string, prefix: string): string[] {
  return foldersIn(dir).filter((name) => name.startsWith(prefix));
}

function foldersIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    tolerate(error, refusals, 'listing cgroups');
    return [];
  }
}

/** The words of a file of cgroups. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

/** Writes to a file of a cgroup; false when that is refused. */
export function writeGroupFile(path: string, text: string): boolean {
  try {
    // Never makes a file: in a cgroup the kernel has made them all.
    writeFileSync(path, text, { flag: 'r+' });
    return true;
  } catch (error) {
    tolerate(error, refusals, 'writing to a file of a cgroup');
    return false;
  }
}

/** Reads a file of a cgroup; null when it cannot be read. */
export function readGroupFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    tolerate(error, refusals, 'reading a file of a cgroup');
    return null;
  }
}

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

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

/** Where cgroups can be seen. A test has a folder of its own. */
export interface CgroupSources {
  /** What /proc/self/cgroup says. */
  readonly self: string;
  /** What /proc/self/mountinfo says. */
  readonly mounts: string;
}

/**
 * The nearest cgroup above this process that hands controllers down, and in which groups can be made. In a cgroup
 * that has processes of its own the kernel allows that only to the root of all, so it is a delegated one above: that of
 * a user's service manager, or of a container whose start has made room. Nothing is changed about any.
 */
export function findCgroupHome(sources: CgroupSources = systemSources()): CgroupHome | null {
  const own = /^0::(\/.*)$/m.exec(sources.self)?.[1];
  const mount = mountPoint(sources.mounts);
  if (own === undefined || mount === null || own.startsWith('/..')) return null;
  for (let path = own; ; path = dirname(path)) {
    const dir = join(mount, path);
    const controllers = handedDown(dir);
    if (useful.some((name) => controllers?.has(name)) && takesProcesses(dir)) return homeAt(dir);
    if (path === '/') return null;
  }
}

/** Controllers of which a task has a use. */
const useful: readonly string[] = ['memory', 'pids'];

/** Where the cgroups of version 2 are mounted; null when they are not. */
export function mountOfCgroups(): string | null {
  return mountPoint(systemSources().mounts);
}

function systemSources(): CgroupSources {
  return { self: read('/proc/self/cgroup') ?? '', mounts: read('/proc/self/mountinfo') ?? '' };
}

/** Where the whole of version 2 is mounted, as far as this process sees it. */
function mountPoint(mounts: string): string | null {
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point] = before.split(' ');
    if (after.startsWith('cgroup2 ') && root === '/' && point !== undefined)
      return point.replaceAll('\\040', ' ');
  }
  return null;
}

/**
 * A cgroup that the user has set apart for tasks: what it has of the controllers is handed down. Null when no group can
 * be made in it, or no process be put into one.
 */
export function openCgroupHome(dir: string): CgroupHome | null {
  const already = handedDown(dir);
  if (already === null) return null;
  for (const name of words(read(join(dir, 'cgroup.controllers')) ?? ''))
    if (useful.includes(name) && !already.has(name)) write(join(dir, 'cgroup.subtree_control'), `+${name}`);
  return takesProcesses(dir) ? homeAt(dir) : null;
}

function homeAt(dir: string): CgroupHome {
  return { dir, controllers: handedDown(dir) ?? new Set(), starter: null };
}

function handedDown(dir: string): Set<string> | null {
  const names = read(join(dir, 'cgroup.subtree_control'));
  return names === null ? null : new Set(words(names));
}

/** Whether groups can be made there and entered. Only trying tells: it depends on where a process comes from, too. */
function takesProcesses(dir: string): boolean {
  const probe = join(dir, `outlive-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    const { status } = spawnSync('/bin/sh', ['-c', 'echo 0 >"$1/cgroup.procs"', 'sh', probe], {
      stdio: 'ignore',
    });
    return status === 0;
  } catch {
    return false;
  } finally {
    removeGroup(probe);
  }
}

/** Makes a group. The limits that it holds are those whose controllers the home has; null when it cannot be made. */
export function makeGroup(home: CgroupHome, name: string, limits: GroupLimits): string | null {
  const dir = join(home.dir, name);
  try {
    mkdirSync(dir);
    if (limits.memoryBytes !== undefined && home.controllers.has('memory')) {
      writeFileSync(join(dir, 'memory.max'), String(limits.memoryBytes));
      // Else what is too much goes to the swap space, where there is some.
      write(join(dir, 'memory.swap.max'), '0');
    }
    if (limits.processes !== undefined && home.controllers.has('pids'))
      writeFileSync(join(dir, 'pids.max'), String(limits.processes));
    return dir;
  } catch {
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
  } catch {
    return false;
  }
}

/** Kills every process of a group and of those below it, at one stroke. False where the kernel cannot (before 5.14). */
export function killGroup(dir: string): boolean {
  return write(join(dir, 'cgroup.kill'), '1');
}

/** The processes of a group and of those below it; 0 stands for those of another pid namespace, and is left out. */
export function pidsOfGroup(dir: string): number[] {
  const own = words(read(join(dir, 'cgroup.procs')) ?? '').map(Number);
  const below = foldersIn(dir).flatMap((name) => pidsOfGroup(join(dir, name)));
  return [...own, ...below].filter((pid) => pid > 1);
}

/** How many processes of a group the kernel has killed because its memory was used up. */
export function oomKillsOfGroup(dir: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(read(join(dir, 'memory.events')) ?? '')?.[1] ?? 0);
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
  } catch {
    return [];
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

function write(path: string, text: string): boolean {
  try {
    // Never makes a file: in a cgroup the kernel has made them all.
    writeFileSync(path, text, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

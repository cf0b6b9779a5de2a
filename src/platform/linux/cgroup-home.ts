import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expected, tolerate } from '../../errors/expected.ts';
import { type CgroupHome, readGroupFile, removeGroup, wordsOf, writeGroupFile } from './cgroup.ts';

/** The folder is not ours, or takes no more; or there are no processes to be had for the trial. */
const notOurs = expected('absent', 'refused', 'full', 'scarce', 'busy', 'unsupported');

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
  return {
    self: readGroupFile('/proc/self/cgroup') ?? '',
    mounts: readGroupFile('/proc/self/mountinfo') ?? '',
  };
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
  for (const name of wordsOf(readGroupFile(join(dir, 'cgroup.controllers')) ?? ''))
    if (useful.includes(name) && !already.has(name))
      writeGroupFile(join(dir, 'cgroup.subtree_control'), `+${name}`);
  return takesProcesses(dir) ? homeAt(dir) : null;
}

function homeAt(dir: string): CgroupHome {
  return { dir, controllers: handedDown(dir) ?? new Set(), starter: null };
}

function handedDown(dir: string): Set<string> | null {
  const names = readGroupFile(join(dir, 'cgroup.subtree_control'));
  return names === null ? null : new Set(wordsOf(names));
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
  } catch (error) {
    tolerate(error, notOurs, 'trying to make a cgroup');
    return false;
  } finally {
    removeGroup(probe);
  }
}

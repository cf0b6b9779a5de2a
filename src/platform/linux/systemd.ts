import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../errors/error.ts';
import type { CgroupHome, GroupLimits } from './cgroup.ts';
import { mountOfCgroups } from './cgroup-home.ts';

/** A user manager that does not answer for this long is taken for none. */
const answersWithinMs = 5_000;

/** Prints the cgroup that it is in, and the controllers there; its argument is where cgroups are mounted. */
const show = `while read -r line; do
  case $line in 0::*) echo "\${line#0::}"; cat "$1\${line#0::}/cgroup.controllers" ;; esac
done </proc/self/cgroup`;

/** The first words of a command that is to run in a scope. Newer versions replace `$` in its words unless told not to. */
const starters = [['--expand-environment=no'], []].map((more) => [
  ...['systemd-run', '--user', '--scope', '--quiet', '--collect', '--slice=outlive.slice'],
  ...more,
]);

/**
 * The slice of the user's service manager in which it creates scopes for us; outlive finds it by having one created.
 * Null if there is none. Only for a user with lingering enabled: the manager of another user ends at logout, with
 * everything in it, and tasks must outlive that.
 */
export async function findScopeHome(
  lingering = join('/var/lib/systemd/linger', nameOfUser()),
): Promise<CgroupHome | null> {
  const mount = mountOfCgroups();
  if (mount === null || !existsSync(lingering)) return null;
  for (const starter of starters) {
    const probe = [
      ...scopeWords(starter, `outlive-probe-${process.pid}`, { memoryBytes: 2 ** 30, processes: 64 }),
    ];
    const printed = await output([...probe, 'sh', '-c', show, 'sh', mount]);
    const [path, controllers] = printed?.trim().split('\n') ?? [];
    if (path === undefined || !path.startsWith('/')) continue;
    const names = (controllers ?? '').split(' ').filter(Boolean);
    return { dir: join(mount, dirname(path)), controllers: new Set(names), starter };
  }
  return null;
}

/** The words in front of a command that run it in a scope of its own, under these limits. */
export function scopeWords(starter: readonly string[], name: string, limits: GroupLimits): string[] {
  const { memoryBytes, processes } = limits;
  const memory = memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0'];
  const tasks = processes === undefined ? [] : [`TasksMax=${processes}`];
  const properties = [...memory, ...tasks].flatMap((property) => ['-p', property]);
  return [...starter, `--unit=${name}.scope`, ...properties, '--'];
}

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch (error) {
    // A user without an entry in the list of users; nobody lingers under that name.
    if (!isSystemError(error)) throw error;
    return '.none';
  }
}

function output([program = '', ...words]: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, words, { timeout: answersWithinMs }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
  });
}

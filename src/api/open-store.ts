import { checkBytes, checkPath } from '../engine/checks.ts';
import { Doorbell } from '../engine/doorbell.ts';
import { Orphans } from '../engine/orphans.ts';
import { prepareStore } from '../engine/store-folder.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { defaults } from '../model/limits.ts';
import type { CgroupHome } from '../platform/cgroup.ts';
import { currentSystem } from '../platform/current.ts';
import { SerialQueue } from '../util/queue.ts';
import { Store } from './store.ts';

/** How to open a store. */
export interface StoreOptions {
  /** The store's folder. @default `$OUTLIVE_HOME`, else the platform's folder for state */
  readonly dir?: string;
  /**
   * How tasks of another machine or container are judged: `'unknown'` shows them and leaves them alone,
   * `'lost'` is for a store that one machine at a time uses. @default `$OUTLIVE_ELSEWHERE`, else 'unknown'
   */
  readonly elsewhere?: 'unknown' | 'lost';
  /**
   * The folder of a cgroup (version 2), without processes, below which tasks with limits get groups of their own;
   * `null`: no cgroups. @default `$OUTLIVE_CGROUP`, else the nearest one above this process in which that is possible, else those of systemd's user manager
   */
  readonly cgroup?: string | null;
  /**
   * Nothing is spawned while the store's file system has less than so many free bytes; `null`: whatever it has.
   * @default the smaller of 1 GiB and 5 % of it
   */
  readonly diskReserveBytes?: number | null;
  /**
   * When the files of all tasks take more than so many bytes, those that ended first are removed, if they were
   * acknowledged; `null`: none is. @default 10 GiB
   */
  readonly maxStoreBytes?: number | null;
}

/** What `openStore` of entry-points.ts does, and throws the same. */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const system = await currentSystem();
  const elsewhere = options.elsewhere ?? process.env.OUTLIVE_ELSEWHERE ?? 'unknown';
  if (elsewhere !== 'unknown' && elsewhere !== 'lost') {
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected elsewhere (or OUTLIVE_ELSEWHERE) to be "unknown" or "lost"; found ${shown(elsewhere)}.`,
    );
  }
  const { diskReserveBytes, maxStoreBytes = defaults.maxStoreBytes } = options;
  if (typeof diskReserveBytes === 'number') checkBytes('diskReserveBytes', diskReserveBytes, 0);
  if (maxStoreBytes !== null) checkBytes('maxStoreBytes', maxStoreBytes, 0);
  const cgroups = await cgroupsFor(
    options.cgroup === undefined ? process.env.OUTLIVE_CGROUP : options.cgroup,
  );
  const onWindows = process.platform === 'win32';
  const named = checkPath('dir', options.dir ?? (await defaultFolder()));
  if (onWindows) (await import('../engine/windows/store-path.ts')).checkForCmd(named);
  const dir = await prepareStore(named);
  const spawns = new SerialQueue();
  const windows = onWindows
    ? (await import('../engine/windows/parts.ts')).windowsParts({
        dir,
        system,
        elsewhere,
        maxStoreBytes,
        spawns,
      })
    : null;
  return new Store({
    dir,
    system,
    elsewhere,
    spawns,
    cgroups,
    diskReserveBytes,
    maxStoreBytes,
    windows,
    doorbell: onWindows ? null : new Doorbell(dir),
    orphans: onWindows ? null : new Orphans(dir, system),
  });
}

async function defaultFolder(): Promise<string> {
  return (await import('../platform/state-folder.ts')).defaultStoreFolder();
}

/** Looked for when a task needs one: to be certain, a process is started for a moment. */
async function cgroupsFor(dir: string | null | undefined): Promise<() => Promise<CgroupHome | null>> {
  if (dir === null) return async () => null;
  if (dir === undefined || dir === '') {
    let found: Promise<CgroupHome | null> | undefined;
    return () => {
      found ??= lookForCgroups();
      return found;
    };
  }
  const { openCgroupHome } = await import('../platform/cgroup-home.ts');
  const home = openCgroupHome(checkPath('cgroup', dir));
  if (home !== null) return async () => home;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected cgroup (or OUTLIVE_CGROUP) to be the folder of a cgroup of version 2 in which this process may make groups and put processes into them; found that it may not do so in ${JSON.stringify(dir)}. Name another one, or null for none.`,
  );
}

async function lookForCgroups(): Promise<CgroupHome | null> {
  const { findCgroupHome } = await import('../platform/cgroup-home.ts');
  const { findScopeHome } = await import('../platform/systemd.ts');
  return findCgroupHome() ?? (await findScopeHome());
}

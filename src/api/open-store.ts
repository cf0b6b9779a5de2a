import type { StoreContext } from '../engine/session/context.ts';
import { checkBytes, checkFlag, checkPath } from '../engine/session/validate.ts';
import { BurstForkServer } from '../engine/spawn/fork-server.ts';
import { TriedOrphans } from '../engine/spawn/orphans.ts';
import { storeAsItIs } from '../engine/store/store-as-it-is.ts';
import { lookAtStore, prepareStore } from '../engine/store/store-folder.ts';
import { PipeDoorbell } from '../engine/supervise/doorbell.ts';
import { checkOptions, type OptionNames } from '../errors/check-options.ts';
import { OutliveError, shown } from '../errors/error.ts';
import { defaults } from '../model/limits.ts';
import { currentSystem, mustSeeProcesses } from '../platform/current.ts';
import type { CgroupHome } from '../platform/linux/cgroup.ts';
import { SerialQueue } from '../util/queue.ts';
import { Store } from './store.ts';

/** How to open a store. */
export interface StoreOptions {
  /** The store's folder. @default `$OUTLIVE_HOME`, else the platform's folder for state */
  readonly dir?: string;
  /**
   * Opens it to read: nothing is made, changed or removed, no process is signalled, and a folder that is not there counts
   * as an empty store. Root may read the stores of other users so. There are no sessions, hence no spawn. @default false
   */
  readonly readOnly?: boolean;
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
   * outlive starts nothing while the file system of the store has fewer free bytes than this; `null`: it does not
   * check.
   * @default the smaller of 1 GiB and 5 % of it
   */
  readonly diskReserveBytes?: number | null;
  /**
   * When the files of all tasks take more bytes than this, outlive removes acknowledged tasks, the oldest end first;
   * `null`: it removes none. @default 10 GiB
   */
  readonly maxStoreBytes?: number | null;
}

const storeOptionNames: OptionNames<StoreOptions> = {
  dir: true,
  readOnly: true,
  elsewhere: true,
  cgroup: true,
  diskReserveBytes: true,
  maxStoreBytes: true,
};

/** What `openStore` of entry-points.ts does, and throws the same. */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const { readOnly = false } = checkOptions('openStore()', options, storeOptionNames);
  checkFlag('readOnly', readOnly);
  return new Store(readOnly ? await contextToRead(options) : await contextToWrite(options));
}

/**
 * A store for those who watch tasks and take completions, and leave it to others to remove what is old and to shorten
 * outputs: a wait for one task is not to cost the output of another.
 * @throws OutliveError as {@link openStore}.
 */
export async function openStoreToWait(options: StoreOptions): Promise<Store> {
  return new Store({ ...(await contextToWrite(options)), keepsHouse: false });
}

async function contextToRead(options: StoreOptions): Promise<StoreContext> {
  const system = await currentSystem();
  const elsewhere = elsewhereIn(options);
  const dir = lookAtStore(checkPath('dir', options.dir ?? (await defaultFolder())));
  const windows = onWindows ? (await import('../engine/windows/parts.ts')).windowsParts(null) : null;
  return { ...storeAsItIs(dir, system, { windows, isReadOnly: true }), elsewhere };
}

async function contextToWrite(options: StoreOptions): Promise<StoreContext> {
  await mustSeeProcesses();
  const system = await currentSystem();
  const elsewhere = elsewhereIn(options);
  const { diskReserveBytes, maxStoreBytes = defaults.maxStoreBytes } = options;
  if (typeof diskReserveBytes === 'number') checkBytes('diskReserveBytes', diskReserveBytes, 0);
  if (maxStoreBytes !== null) checkBytes('maxStoreBytes', maxStoreBytes, 0);
  const cgroups = await cgroupsFor(
    options.cgroup === undefined ? process.env.OUTLIVE_CGROUP : options.cgroup,
  );
  const named = checkPath('dir', options.dir ?? (await defaultFolder()));
  if (onWindows) (await import('../engine/windows/store-path.ts')).checkForCmd(named);
  const dir = prepareStore(named);
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
  return {
    ...storeAsItIs(dir, system, { windows }),
    elsewhere,
    spawns,
    cgroups,
    diskReserveBytes,
    maxStoreBytes,
    doorbell: onWindows ? null : new PipeDoorbell(dir),
    orphans: onWindows ? null : new TriedOrphans(dir, system),
    forkServer: onWindows ? null : new BurstForkServer(dir),
  };
}

function elsewhereIn(options: StoreOptions): 'unknown' | 'lost' {
  const elsewhere = options.elsewhere ?? process.env.OUTLIVE_ELSEWHERE ?? 'unknown';
  if (elsewhere === 'unknown' || elsewhere === 'lost') return elsewhere;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected elsewhere (or OUTLIVE_ELSEWHERE) to be "unknown" or "lost"; found ${shown(elsewhere)}.`,
  );
}

const onWindows = process.platform === 'win32';

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
  const { openCgroupHome } = await import('../platform/linux/cgroup-home.ts');
  const home = openCgroupHome(checkPath('cgroup', dir));
  if (home !== null) return async () => home;
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected cgroup (or OUTLIVE_CGROUP) to be the folder of a cgroup of version 2 in which this process may make groups and put processes into them; found that it may not do so in ${JSON.stringify(dir)}. Name another one, or null for none.`,
  );
}

async function lookForCgroups(): Promise<CgroupHome | null> {
  const { findCgroupHome } = await import('../platform/linux/cgroup-home.ts');
  const { findScopeHome } = await import('../platform/linux/systemd.ts');
  return findCgroupHome() ?? (await findScopeHome());
}

import { statSync } from 'node:fs';
import type { System } from '../../platform/system.ts';
import { RecentLogs } from '../../tasklog/read-log.ts';
import { SerialQueue } from '../../util/queue.ts';
import type { StoreContext, WindowsParts } from '../session/context.ts';

/**
 * A store as it is, for those who spawn nothing in it.
 * @param dir its real path; there may be no folder yet.
 * @param options `windows`: what Windows needs; null elsewhere.
 */
export function storeAsItIs(
  dir: string,
  system: System,
  options: { readonly windows?: WindowsParts | null; readonly isReadOnly?: boolean } = {},
): StoreContext {
  const { windows = null, isReadOnly = false } = options;
  return {
    dir,
    owner: statSync(dir, { throwIfNoEntry: false })?.uid ?? 0,
    isReadOnly,
    keepsHouse: !isReadOnly,
    system,
    elsewhere: process.env.OUTLIVE_ELSEWHERE === 'lost' ? 'lost' : 'unknown',
    spawns: new SerialQueue(),
    logs: new RecentLogs(),
    cgroups: async () => null,
    diskReserveBytes: null,
    maxStoreBytes: null,
    windows,
    doorbell: null,
    orphans: null,
    forkServer: null,
  };
}

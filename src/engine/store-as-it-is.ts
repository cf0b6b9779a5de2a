import type { System } from '../platform/system.ts';
import { SerialQueue } from '../util/queue.ts';
import type { StoreContext, WindowsParts } from './context.ts';

/**
 * A store that is there, for those who spawn nothing in it: opening it in the usual way would tidy it up.
 * @param windows what Windows needs; null elsewhere.
 */
export function storeAsItIs(dir: string, system: System, windows: WindowsParts | null = null): StoreContext {
  return {
    dir,
    system,
    elsewhere: process.env.OUTLIVE_ELSEWHERE === 'lost' ? 'lost' : 'unknown',
    spawns: new SerialQueue(),
    cgroups: async () => null,
    diskReserveBytes: null,
    maxStoreBytes: null,
    windows,
    doorbell: null,
    orphans: null,
  };
}

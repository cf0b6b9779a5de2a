import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { currentSystem } from '../platform/current.ts';
import type { System } from '../platform/system.ts';
import { parseStoreRecord, storeVersion } from '../tasklog/records.ts';
import { SerialQueue } from '../util/queue.ts';
import type { StoreContext } from './context.ts';
import { copyExitMark } from './exit-mark.ts';

/** A store as the keeper has it: it is there already, and nothing is spawned. Null when it cannot be kept. */
export async function keptStore(dir: string, maxStoreBytes: number | null): Promise<StoreContext | null> {
  const system = isOurs(dir) ? await systemHere() : null;
  return system === null ? null : { ...storeAsItIs(dir, system), maxStoreBytes };
}

/** A store that is there, for those who spawn nothing in it: opening it in the usual way would tidy it up. */
export function storeAsItIs(dir: string, system: System): StoreContext {
  return {
    dir,
    system,
    elsewhere: process.env.OUTLIVE_ELSEWHERE === 'lost' ? 'lost' : 'unknown',
    shimShell: null,
    spawns: new SerialQueue(),
    cgroups: async () => null,
    companions: null,
    makeCompanions: () => Promise.reject(new Error('a store that is only looked at has no companions')),
    diskReserveBytes: null,
    maxStoreBytes: null,
    copyExitMark: process.platform === 'win32' ? copyExitMark : null,
  };
}

/** A store that was removed, or upgraded by a newer version, is none of our business any more. */
function isOurs(dir: string): boolean {
  try {
    const record = parseStoreRecord(readFileSync(join(dir, 'store.json'), 'utf8'));
    return record !== null && record.version <= storeVersion;
  } catch {
    return false;
  }
}

async function systemHere(): Promise<System | null> {
  try {
    return await currentSystem();
  } catch {
    // Without /proc nobody can be judged.
    return null;
  }
}

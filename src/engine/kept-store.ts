import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { currentSystem } from '../platform/current.ts';
import type { System } from '../platform/system.ts';
import { parseStoreRecord, storeVersion } from '../tasklog/records.ts';
import { SerialQueue } from '../util/queue.ts';
import type { StoreContext } from './context.ts';
import { Lifeline } from './lifeline.ts';
import { Sentinel } from './sentinel.ts';

/** A store as the keeper has it: it is there already, and nothing is spawned. Null when it cannot be kept. */
export function keptStore(dir: string, maxStoreBytes: number | null): StoreContext | null {
  const system = isOurs(dir) ? systemHere() : null;
  return system === null ? null : { ...storeAsItIs(dir, system), maxStoreBytes };
}

/** A store that is there, for those who spawn nothing in it: opening it in the usual way would tidy it up. */
export function storeAsItIs(dir: string, system: System): StoreContext {
  const spawns = new SerialQueue();
  return {
    dir,
    system,
    elsewhere: process.env.OUTLIVE_ELSEWHERE === 'lost' ? 'lost' : 'unknown',
    shimShell: null,
    spawns,
    cgroups: async () => null,
    lifeline: new Lifeline(dir),
    sentinel: new Sentinel(null, spawns),
    diskReserveBytes: null,
    maxStoreBytes: null,
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

function systemHere(): System | null {
  try {
    return currentSystem();
  } catch {
    // Without /proc nobody can be judged.
    return null;
  }
}

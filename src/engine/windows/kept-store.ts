import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { currentSystem } from '../../platform/current.ts';
import type { System } from '../../platform/system.ts';
import { parseStoreRecord, storeVersion } from '../../tasklog/records.ts';
import type { StoreContext } from '../context.ts';
import { storeAsItIs } from '../store-as-it-is.ts';
import { windowsParts } from './parts.ts';

/** A store as the keeper has it: it is there already, and nothing is spawned. Null when it cannot be kept. */
export async function keptStore(dir: string, maxStoreBytes: number | null): Promise<StoreContext | null> {
  const system = isOurs(dir) ? await systemHere() : null;
  return system === null ? null : { ...storeAsItIs(dir, system, windowsParts(null)), maxStoreBytes };
}

/** A store that was removed, or is of another version, is none of our business any more. */
function isOurs(dir: string): boolean {
  try {
    const record = parseStoreRecord(readFileSync(join(dir, 'store.json'), 'utf8'));
    return record !== null && record.version === storeVersion;
  } catch {
    return false;
  }
}

async function systemHere(): Promise<System | null> {
  try {
    return await currentSystem();
  } catch {
    // Without koffi nobody can be judged.
    return null;
  }
}

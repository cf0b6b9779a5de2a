import { join } from 'node:path';
import { OutliveError } from '../../errors/error.ts';
import { tolerate } from '../../errors/expected.ts';
import { bounds } from '../../model/limits.ts';
import { currentSystem } from '../../platform/current.ts';
import type { System } from '../../platform/system.ts';
import { readSmall } from '../../tasklog/files.ts';
import { parseStoreRecord, storeVersion } from '../../tasklog/records.ts';
import { passing } from '../session/background.ts';
import type { StoreContext } from '../session/context.ts';
import { storeAsItIs } from '../store/store-as-it-is.ts';
import { windowsParts } from './parts.ts';

/** A store as the keeper has it: it is there already, and nothing is spawned. Null when it cannot be kept. */
export async function keptStore(dir: string, maxStoreBytes: number | null): Promise<StoreContext | null> {
  const system = isOurs(dir) ? await systemHere() : null;
  return system === null
    ? null
    : { ...storeAsItIs(dir, system, { windows: windowsParts(null) }), maxStoreBytes };
}

/** A store that was removed, or has another version, no longer concerns this keeper. */
function isOurs(dir: string): boolean {
  try {
    const text = readSmall(join(dir, 'store.json'), bounds.recordBytes)?.toString('utf8') ?? '';
    return parseStoreRecord(text)?.version === storeVersion;
  } catch (error) {
    tolerate(error, passing, 'reading the record of a store');
    return false;
  }
}

async function systemHere(): Promise<System | null> {
  try {
    return await currentSystem();
  } catch (error) {
    // Without koffi it cannot check any process.
    if (!(error instanceof OutliveError)) throw error;
    return null;
  }
}

import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { storeAsItIs } from '../engine/store-as-it-is.ts';
import { checkStoreVersion } from '../engine/store-folder.ts';
import { OutliveError, systemCode } from '../errors/error.ts';
import type { System } from '../platform/system.ts';
import { parseStoreRecord } from '../tasklog/records.ts';
import { Store } from './store.ts';

/**
 * A store as it is, to look at. Opening it in the usual way would close its folder to others and remove stray
 * files, before the doctor has said that they are there.
 * @throws OutliveError `STORE_VERSION`, `STORE_CORRUPT`.
 */
export async function lookAt(dir: string, system: System): Promise<Store> {
  checkRecord(join(dir, 'store.json'));
  const windows =
    process.platform === 'win32' ? (await import('../engine/windows/parts.ts')).windowsParts(null) : null;
  return new Store(storeAsItIs(realpathSync(dir), system, windows));
}

/** A record that is not there, or empty, is written by whoever opens the store next. */
function checkRecord(path: string): void {
  const content = read(path);
  if (content === '') return;
  const record = parseStoreRecord(content);
  if (record === null) throw new OutliveError('STORE_CORRUPT', `${path} does not describe a store.`);
  checkStoreVersion(path, record.version);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw new OutliveError('STORE_CORRUPT', `${path} cannot be read: ${String(error)}.`, { cause: error });
  }
}

import type { StoreOptions } from './api/open-store.ts';
import type { Store } from './api/store.ts';
import type { DiagnoseOptions, Diagnosis } from './doctor/doctor.ts';

// What the package exports is loaded when it is first called: a program that starts an agent waits for every import, and
// most of the code is of no use before a store is open.

/**
 * Opens a store, made if it is not there. Any number of processes may have it open.
 * @throws OutliveError `STORE_UNSAFE`, `STORE_UNWRITABLE`, `STORE_VERSION`, `STORE_CORRUPT`,
 * `INVALID_ARGUMENT`, `UNSUPPORTED_PLATFORM`.
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const module = await import('./api/open-store.ts');
  return await module.openStore(options);
}

/**
 * Checks a store, its disk, the shells and the tasks for problems. It changes nothing; the caller decides whether to
 * call a finding's `mend`.
 * @throws OutliveError `INVALID_ARGUMENT`, `UNSUPPORTED_PLATFORM`.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const module = await import('./doctor/doctor.ts');
  return await module.diagnose(options);
}

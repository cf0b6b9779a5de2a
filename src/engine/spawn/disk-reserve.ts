import { type StatsFs, statfsSync } from 'node:fs';
import { OutliveError } from '../../errors/error.ts';
import { expected, tolerate } from '../../errors/expected.ts';
import { defaults } from '../../model/limits.ts';
import type { StoreContext } from '../session/context.ts';
import { largestGrowing } from '../store/largest-growing.ts';

const untold = expected('absent', 'refused', 'scarce', 'failing', 'unsupported');

/**
 * Refuses to start anything when the store's file system is nearly full. One `statfs`, some microseconds.
 * @throws OutliveError `DISK_LOW`.
 */
export function checkDisk(store: StoreContext): void {
  const disk = store.diskReserveBytes === null ? null : look(store.dir);
  if (disk === null) return;
  const free = disk.bavail * disk.bsize;
  const reserve = store.diskReserveBytes ?? defaultReserve(disk);
  if (free < reserve) throw diskLow(store, free, Math.ceil(reserve));
}

function look(dir: string): StatsFs | null {
  try {
    const disk = statfsSync(dir);
    // Some file systems do not tell.
    return disk.blocks > 0 ? disk : null;
  } catch (error) {
    // If the system does not say how much space there is, outlive holds nothing in reserve.
    tolerate(error, untold, 'asking how much space a disk has');
    return null;
  }
}

function defaultReserve({ blocks, bsize }: StatsFs): number {
  return Math.min(defaults.diskReserveBytes, blocks * bsize * defaults.diskReservePart);
}

function diskLow(store: StoreContext, freeBytes: number, reserveBytes: number): OutliveError {
  const largest = largestGrowing(store);
  const found =
    largest === null
      ? 'no running task has written anything'
      : `the largest growing task is ${largest.taskId} of session ${JSON.stringify(largest.sessionId)} with ${largest.bytes} bytes`;
  return new OutliveError(
    'DISK_LOW',
    `expected at least ${reserveBytes} free bytes on the file system of ${store.dir}; found ${freeBytes}, and ${found}. Nothing was started. Stop a task, prune the store, free some space, or lower diskReserveBytes.`,
    { details: { freeBytes, reserveBytes, largest } },
  );
}

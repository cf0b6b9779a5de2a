import { statfsSync } from 'node:fs';
import { isShare } from './windows/paths.ts';

/** Kinds of file systems by the number that statfs(2) gives, as the kernel's magic.h lists them. */
const networkKinds: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
]);

/**
 * What kind of file system holds a folder that others may change over a network, or from outside of this machine; `null`: a
 * local one, which tells of every change.
 * @throws a system error.
 */
export function networkKind(dir: string): string | null {
  // Windows tells no kinds.
  return isShare(dir) ? 'a share of the network' : (networkKinds.get(statfsSync(dir).type) ?? null);
}

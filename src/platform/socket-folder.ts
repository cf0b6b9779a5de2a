import { createHash } from 'node:crypto';

/**
 * Where the socket of a task goes when the store is on a file system without sockets: in a folder of this user for this store,
 * which the shim makes (0700) and checks. Its path is short, since that of a socket has at most 107 bytes.
 */
export function socketElsewhere(storeDir: string, taskId: string): string {
  const hash = createHash('sha256').update(storeDir).digest('hex').slice(0, 12);
  return `/tmp/outlive-${process.geteuid?.() ?? 0}-${hash}/${taskId}.sock`;
}

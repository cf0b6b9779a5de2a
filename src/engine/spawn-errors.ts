import { OutliveError, systemCode } from '../errors/error.ts';

/** The system refused to start a process. */
export function spawnFailed(cause: Error): OutliveError {
  return new OutliveError(
    'SPAWN_FAILED',
    `expected the system to start a process; found ${systemCode(cause) ?? 'an error'}: ${cause.message}. Check the limits on processes, memory and open files.`,
    { cause },
  );
}

/** The store did not take the files of a new task; some of these errors are about processes rather than disks. */
export function unwritable(
  context: { readonly store: { readonly dir: string } },
  cause: unknown,
  done = 'Nothing was started.',
): OutliveError {
  const code = systemCode(cause);
  const isLimit =
    code === 'EMFILE' || code === 'ENFILE' || code === 'EAGAIN' || code === 'ENOMEM' || code === 'E2BIG';
  if (isLimit && cause instanceof Error) return spawnFailed(cause);
  const signs: Record<string, string> = {
    EROFS: 'it is read-only',
    ENOSPC: 'its disk is full',
    EACCES: 'no permission',
    EDQUOT: 'the quota is used up',
  };
  const found = signs[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new OutliveError(
    'STORE_UNWRITABLE',
    `expected to write to the store ${context.store.dir}; found that ${found}. ${done} Make room or give permission, or open another store.`,
    { cause },
  );
}

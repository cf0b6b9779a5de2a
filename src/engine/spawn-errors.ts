import { OutliveError, systemCode } from '../errors/error.ts';
import { RecordGone } from '../tasklog/log.ts';

/** The system refused to start a process. */
export function spawnFailed(cause: Error): OutliveError {
  return new OutliveError(
    'SPAWN_FAILED',
    `expected the system to start a process; found ${systemCode(cause) ?? 'an error'}: ${cause.message}. Check the limits on processes, memory and open files.`,
    { cause },
  );
}

/**
 * The record of a task was removed while it was made: this process was stopped for so long that others took it for dead,
 * or somebody removes files of the store.
 */
function recordGone(context: { readonly store: { readonly dir: string } }, cause: RecordGone): OutliveError {
  return new OutliveError(
    'STORE_UNWRITABLE',
    `expected the record of a new task to stay in the store ${context.store.dir}; found that ${cause.message} before the task was started, as happens when this process is stopped for more than a minute. Nothing was started. Spawn it again.`,
    { cause },
  );
}

/** The store did not take the files of a new task; some of these errors are about processes rather than disks. */
export function unwritable(
  context: { readonly store: { readonly dir: string } },
  cause: unknown,
  done = 'Nothing was started.',
): OutliveError {
  if (cause instanceof RecordGone) return recordGone(context, cause);
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

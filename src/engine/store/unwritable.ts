import { isSystemError, OutliveError, systemCode } from '../../errors/error.ts';
import { RecordGone } from '../../tasklog/log.ts';

/** The system refused to start a process. */
export function spawnFailed(cause: Error): OutliveError {
  return new OutliveError(
    'SPAWN_FAILED',
    `expected the system to start a process; found ${systemCode(cause) ?? 'an error'}: ${cause.message}. Check the limits on processes, memory and open files.`,
    { cause },
  );
}

/**
 * The record of a task was removed while this process made it: this process was stopped so long that others took it for
 * dead, or somebody removes files of the store.
 */
function recordGone(context: { readonly store: { readonly dir: string } }, cause: RecordGone): OutliveError {
  return new OutliveError(
    'STORE_UNWRITABLE',
    `expected the record of a new task to stay in the store ${context.store.dir}; found that ${cause.message} before the task started. That happens when this process is stopped for more than a minute. Nothing was started. Spawn it again.`,
    { cause },
  );
}

/**
 * The store did not take the files of a new task; some of these errors are about processes rather than disks.
 * @returns the error to throw: the cause itself if it is a mistake in the program.
 */
export function unwritable(
  context: { readonly store: { readonly dir: string } },
  cause: unknown,
  done = 'Nothing was started.',
): unknown {
  if (cause instanceof RecordGone) return recordGone(context, cause);
  if (!isSystemError(cause)) return cause;
  const code = systemCode(cause);
  const isLimit = code === 'EMFILE' || code === 'ENFILE' || code === 'EAGAIN' || code === 'ENOMEM';
  if (isLimit) return spawnFailed(cause as Error);
  const signs: Record<string, string> = {
    EROFS: 'it is read-only',
    ENOSPC: 'its disk is full',
    EACCES: 'no permission',
    EDQUOT: 'the quota is used up',
  };
  const found = signs[code ?? ''] ?? (cause as Error).message;
  return new OutliveError(
    'STORE_UNWRITABLE',
    `expected to write to the store ${context.store.dir}; found that ${found}. ${done} Free some space or grant permission, or open another store.`,
    { cause },
  );
}

import { isSystemError, OutliveError } from './error.ts';
import { warn } from './warnings.ts';

/** Families of errors of the system, by what they say of the thing or of the one who asks. */
const families = {
  /** It is not there (any more), or something else is in its place. */
  absent: ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ENODEV', 'EEXIST'],
  /** A process that is not there (any more). */
  gone: ['ESRCH', 'ENOENT', 'ENOTDIR', 'ECHILD'],
  /** It is not for us, or not for anybody. */
  refused: ['EACCES', 'EPERM', 'EROFS'],
  /** There is no room. */
  full: ['ENOSPC', 'EDQUOT', 'EFBIG'],
  /** This process, or the machine, has too little of something just now. */
  scarce: ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'ENOBUFS'],
  /** The disk fails, or the network to it. */
  failing: ['EIO', 'ESTALE', 'ETIMEDOUT', 'EHOSTDOWN', 'ENETUNREACH', 'EREMOTEIO'],
  /** Somebody uses it just now. */
  busy: ['EBUSY', 'ENOTEMPTY', 'ETXTBSY'],
  /** The system, or this file system, does not have that. */
  unsupported: ['ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL'],
} as const;

/** A family of errors of the system, or one code: of the system, or of ours. */
export type Expectable = keyof typeof families | Uppercase<string>;

/** Codes of errors that are expected somewhere. */
export type Expected = ReadonlySet<string>;

/** Lists what is expected somewhere, by families and by single codes. */
export function expected(...names: readonly Expectable[]): Expected {
  return new Set(
    names.flatMap((name): readonly string[] =>
      Object.hasOwn(families, name) ? families[name as keyof typeof families] : [name],
    ),
  );
}

/** Whether an error is one that is expected: of the system or of ours, with one of these codes. */
export function isExpected(error: unknown, codes: Expected): boolean {
  return isForeseen(error) && codes.has((error as { readonly code: string }).code);
}

/** Whether an error is of the system or of ours. Everything else is a mistake in the program. */
export function isForeseen(error: unknown): boolean {
  return isSystemError(error) || error instanceof OutliveError;
}

/**
 * For a `catch` that continues without the failed step. It reports an unexpected error of the system, and continues. It
 * does not continue after a mistake in the program.
 * @param doing what has failed, as a warning says it: `removing a stray file`.
 * @throws the error if it is a mistake in the program.
 */
export function tolerate(error: unknown, codes: Expected, doing: string): void {
  if (isExpected(error, codes)) return;
  if (!isForeseen(error)) throw error;
  warn({ doing, error });
}

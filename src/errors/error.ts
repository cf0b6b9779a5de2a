/**
 * Every code that an {@link OutliveError} can carry, with what it means. docs/errors.md holds the same
 * table for readers; a test compares the two. Codes are never renamed or reused.
 */
export const errorCodes = {
  INVALID_ARGUMENT: 'an option, id or value is of the wrong type, form or size',
  INVALID_COMMAND: 'the command is empty, too long, or holds a NUL character',
  INVALID_CWD: 'the working directory is not there, or is not a directory',
  INVALID_ENV: 'the name or value of an environment variable cannot be passed to a program',
  SHELL_NOT_FOUND: 'the shell asked for is not there or cannot be executed',
  TASK_LIMIT: 'the session already runs as many tasks as it may',
  DISK_LOW: 'the file system of the store has less free space than is to be kept in reserve',
  TASK_NOT_FOUND: 'no task of that id is in this session or store',
  TASK_AMBIGUOUS: 'a name or the beginning of an id means more than one task',
  TASK_ELSEWHERE: 'the task belongs to another machine or container, so it cannot be stopped from here',
  STORE_VERSION: 'the store was written by a newer version of outlive',
  STORE_CORRUPT: 'a file that describes the store or a session cannot be read',
  STORE_UNSAFE: 'the store belongs to somebody else, or is not a directory that outlive made',
  STORE_UNWRITABLE: 'the store cannot be written: read-only, full, or without permission',
  READ_FAILED: 'the system would not let a file of the store, or of /proc, be read just now',
  SPAWN_FAILED: 'the operating system refused to start the process',
  CLOSED: 'the store or session was closed before the call',
  UNSUPPORTED_PLATFORM: 'this operating system is not supported',
  USAGE: 'the command line was not understood',
} as const;

/** One of the stable codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * The one error class of outlive: our own failure, never a command's. `code` is stable and meant for
 * programs; the message says what was expected, what was found and what to do, and is meant for people.
 */
export class OutliveError extends Error {
  /** Stable, for programs; see docs/errors.md. */
  readonly code: ErrorCode;
  /** Facts for programs that go with some codes, such as the ids of the running tasks of `TASK_LIMIT`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    more: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'OutliveError';
    this.code = code;
    this.details = more.details ?? {};
  }
}

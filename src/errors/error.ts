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
  SHIM_UNAVAILABLE: 'the program that runs tasks (the shim) is not there or cannot be executed',
  TASK_LIMIT: 'the session already runs as many tasks as it may',
  DISK_LOW: 'the file system of the store has less free space than is to be kept in reserve',
  TASK_NOT_FOUND: 'no task of that id is in this session or store',
  TASK_AMBIGUOUS: 'a name or the beginning of an id means more than one task',
  TASK_ELSEWHERE: 'the task belongs to another machine or container, so it cannot be stopped from here',
  STORE_VERSION: 'the store has a format that this version of outlive does not read',
  STORE_CORRUPT: 'a file that describes the store or a session cannot be read',
  STORE_UNSAFE: 'the store belongs to somebody else, or is not a directory that outlive made',
  STORE_UNWRITABLE: 'the store cannot be written: read-only, full, or without permission',
  READ_FAILED: 'the system would not let a file of the store, or of /proc, be read just now',
  SPAWN_FAILED: 'the operating system refused to start the process',
  CLOSED: 'the store or session was closed before the call',
  UNSUPPORTED_PLATFORM: 'this operating system or processor is not supported',
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

/** The code of a system error (`ENOENT`, `EACCES` ...), or undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * What the system would not let us read just now, though it may be there: no descriptors, no memory, an error of the
 * disk. Nothing follows from it about what is looked for; least of all that it is gone.
 */
export function readFailed(path: string, cause: unknown): OutliveError {
  return new OutliveError(
    'READ_FAILED',
    `expected to read ${path}; found ${cause instanceof Error ? cause.message : String(cause)}. Try again; look at the limits on open files and memory, and at the disk.`,
    { cause },
  );
}

/** No record of a task, or one of another session. */
export function taskNotFound(sessionId: string, taskId: string): OutliveError {
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected a task of session ${JSON.stringify(sessionId)}; found no record of ${JSON.stringify(taskId)}. List the session's tasks to see which there are.`,
    { details: { taskId } },
  );
}

/** The store or session was closed. */
export function closed(what: string): OutliveError {
  return new OutliveError(
    'CLOSED',
    `expected an open ${what}; found that it was closed. Open it again to go on.`,
  );
}

/** A value that somebody handed over, as a message names it. Never throws, whatever the value is; of a text so many characters. */
export function shown(value: unknown, most = 100): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' && typeof value !== 'string') return String(value);
  try {
    return typeof value === 'string'
      ? JSON.stringify(value.slice(0, most))
      : JSON.stringify(value).slice(0, most);
  } catch {
    // A circle, a bigint, a `toJSON` that throws or gives nothing.
    return 'an object';
  }
}

/**
 * Every code that an {@link OutliveError} can carry, with what it means. docs/errors.md holds the same
 * table for readers; a test compares the two. Codes are never renamed or reused.
 */
export const errorCodes = {
  INVALID_ARGUMENT: 'an option, id or value is of the wrong type, form or size, or there is no such option',
  INVALID_COMMAND: 'the command, or a word of its list, is empty, too long, or holds a NUL character',
  INVALID_CWD: 'the working directory does not exist, or is not a directory',
  INVALID_ENV: 'outlive cannot pass the name or value of an environment variable to a program',
  SHELL_NOT_FOUND: 'the requested shell does not exist or cannot be executed',
  SHIM_UNAVAILABLE: 'the program that runs tasks (the shim) does not exist or cannot be executed',
  NAME_TAKEN: 'another running task of the session already has that name',
  NOT_STOPPED: 'processes of the task that outlive was to replace did not end, so it started nothing',
  TASK_LIMIT: 'the session already runs as many tasks as it may',
  DISK_LOW: 'the file system of the store has less free space than the reserve',
  TASK_NOT_FOUND: 'this session or store has no task with that id',
  TASK_AMBIGUOUS: 'a name or the beginning of an id matches more than one task',
  TASK_ENDED: 'the task has ended and was acknowledged, and none of its processes is left that could write',
  TASK_ELSEWHERE:
    'the task belongs to another machine or container, or to the store from which this one was copied, so it cannot be stopped from here',
  INPUT_CLOSED:
    'the task takes no input: it was spawned without an input, has not started, or has ended, or its input has ended',
  INPUT_FULL: 'the command does not read its input, and outlive can keep no more of it',
  NO_TERMINAL: 'the task has no terminal',
  STORE_VERSION: 'the store has a format that this version of outlive does not read',
  STORE_CORRUPT: 'outlive cannot read the file that describes the store',
  STORE_UNSAFE: 'the store belongs to another user, or is not a directory that outlive made',
  STORE_UNWRITABLE: 'outlive cannot write to the store: it is read-only or full, or a permission is missing',
  READ_FAILED: 'the system refused to read a file of the store or of /proc',
  WOULD_DIE:
    'the command line runs in a sandbox that ends with the shell call, and a command that it starts would end with it',
  PRINT_FAILED: 'the command line could not write its output',
  CONFIG_UNUSABLE:
    'setup cannot read, understand or write a file of an agent, or fleet join --service a unit, so it left the file unchanged',
  SPAWN_FAILED: 'the operating system refused to start the process',
  CLOSED: 'the store or session was already closed',
  UNSUPPORTED_PLATFORM: 'outlive does not support this operating system or processor',
  HOST_UNREACHABLE:
    'the other machine does not answer: by ssh nothing was done there, a host of a fleet may have got the request',
  HOST_KEY:
    'ssh does not know the key of the other machine, or the key has changed, so nothing was done there',
  HOST_PROGRAM: 'the other machine has no outlive, or an incompatible version, so nothing was done there',
  CONNECTION_LOST:
    'the connection to the other machine broke while a verb ran there; what had begun there continues',
  FLEET_PACKAGES: 'the packages or the server that a fleet needs are not installed, or are too old',
  FLEET_UNREACHABLE: 'no coordinator of the fleet answers, so outlive does not know what was done',
  FLEET_REFUSED: 'the fleet does not let this party in, or its role does not allow the request',
  FLEET_FORGED: 'a message of the fleet failed its checks, so outlive did nothing for it',
  FLEET_BUSY:
    'no host can take the task: all hosts that match are full, cordoned or lost, or too many tasks wait',
  FLEET_CREDENTIALS: 'a file with the keys of a fleet is not there, is not safe, or cannot be understood',
  FLEET_HOST: 'the fleet has no such host, or it is not the host that was expected',
  USAGE: 'outlive did not understand the command line',
  INTERNAL: 'outlive has a bug',
} as const;

/** One of the stable codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** No facts go with a code. */
type NoDetails = Readonly<Record<string, never>>;

/** What `details` of an error has, by its code. What is optional is there where outlive knows it. */
export interface ErrorDetails extends Readonly<Record<ErrorCode, object>> {
  /** The names of options that do not exist. */
  readonly INVALID_ARGUMENT: { readonly options?: readonly string[] };
  readonly INVALID_COMMAND: NoDetails;
  readonly INVALID_CWD: NoDetails;
  /** The largest variable of an environment that is too large, and its bytes. */
  readonly INVALID_ENV: {
    readonly variable?: string;
    readonly bytes?: number;
    /** The names of variables that a restart needs and does not have. */
    readonly missing?: readonly string[];
  };
  /** On Windows, the shells that were looked for. */
  readonly SHELL_NOT_FOUND: { readonly tried?: readonly string[] };
  readonly SHIM_UNAVAILABLE: NoDetails;
  /** The task that has the name. */
  readonly NAME_TAKEN: { readonly taskId: string; readonly name: string };
  /** The task, and the processes that are alive. */
  readonly NOT_STOPPED: { readonly taskId: string; readonly pids: readonly number[] };
  /** The ids of the tasks that run, and how many may. */
  readonly TASK_LIMIT: { readonly running: readonly string[]; readonly maxRunning: number };
  readonly DISK_LOW: {
    readonly freeBytes: number;
    readonly reserveBytes: number;
    /** The task whose output takes most, of those that run; `null`: none has written anything. */
    readonly largest: { readonly taskId: string; readonly sessionId: string; readonly bytes: number } | null;
  };
  readonly TASK_NOT_FOUND: { readonly taskId?: string };
  /** The ids of the tasks that are meant. */
  readonly TASK_AMBIGUOUS: { readonly taskIds: readonly string[] };
  readonly TASK_ENDED: { readonly taskId: string };
  readonly TASK_ELSEWHERE: { readonly taskId: string; readonly host?: string | undefined };
  readonly INPUT_CLOSED: { readonly taskId?: string };
  readonly INPUT_FULL: { readonly taskId: string };
  readonly NO_TERMINAL: { readonly taskId: string };
  readonly STORE_VERSION: NoDetails;
  readonly STORE_CORRUPT: NoDetails;
  readonly STORE_UNSAFE: NoDetails;
  readonly STORE_UNWRITABLE: NoDetails;
  readonly READ_FAILED: NoDetails;
  /** The program that is the first process of the pid namespace. */
  readonly WOULD_DIE: { readonly sandbox: string };
  readonly PRINT_FAILED: NoDetails;
  readonly CONFIG_UNUSABLE: { readonly path: string };
  readonly SPAWN_FAILED: NoDetails;
  readonly CLOSED: NoDetails;
  readonly UNSUPPORTED_PLATFORM: NoDetails;
  /** The address of the other machine. */
  readonly HOST_UNREACHABLE: {
    readonly host: string;
    /** Of a task of a fleet: the end of its output, as it was known last. Absent: nothing is known of it. */
    readonly lastSeen?: {
      readonly tail: string;
      readonly outputBytes: number;
      readonly agoMs: number | null;
    };
  };
  readonly HOST_KEY: { readonly host: string };
  readonly HOST_PROGRAM: { readonly host: string };
  readonly CONNECTION_LOST: { readonly host: string };
  readonly FLEET_PACKAGES: NoDetails;
  readonly FLEET_UNREACHABLE: NoDetails;
  readonly FLEET_REFUSED: NoDetails;
  readonly FLEET_FORGED: NoDetails;
  readonly FLEET_BUSY: NoDetails;
  readonly FLEET_CREDENTIALS: { readonly path: string };
  readonly FLEET_HOST: { readonly host?: string };
  readonly USAGE: NoDetails;
  readonly INTERNAL: NoDetails;
}

/** An error with one of some codes. */
interface ErrorWith<Code extends ErrorCode> extends Error {
  /** Stable, for programs; see docs/errors.md. */
  readonly code: Code;
  /** Facts for programs that go with the code, such as the ids of the running tasks of `TASK_LIMIT`. */
  readonly details: ErrorDetails[Code];
}

/** What an error has beside its message. Details that a code always has must be given. */
type More<Code extends ErrorCode> = { cause?: unknown } & (NoDetails extends ErrorDetails[Code]
  ? { details?: ErrorDetails[Code] }
  : { details: ErrorDetails[Code] });

/** The class, with instances that are a union by `code`. */
interface OutliveErrorClass {
  new <Code extends ErrorCode>(code: Code, message: string, ...more: MoreOf<Code>): ErrorWith<Code>;
  readonly prototype: OutliveError;
}

type MoreOf<Code extends ErrorCode> = NoDetails extends ErrorDetails[Code]
  ? [more?: More<Code>]
  : [more: More<Code>];

/**
 * The one error of outlive: our own failure, never a command's. `code` is stable and meant for programs; the message says
 * what was expected, what was found and what to do, and is meant for people. A union by `code`: after `instanceof` a
 * `switch` over the code tells which details there are.
 */
export type OutliveError = { readonly [Code in ErrorCode]: ErrorWith<Code> }[ErrorCode];

/** See the type of this name. */
export const OutliveError = class OutliveError extends Error {
  readonly code: ErrorCode;
  readonly details: object;

  constructor(code: ErrorCode, message: string, more: { cause?: unknown; details?: object } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'OutliveError';
    this.code = code;
    this.details = more.details ?? {};
  }
} as unknown as OutliveErrorClass;

/** The code of a system error (`ENOENT`, `EACCES` ...), or undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether a call to the system failed, as opposed to a mistake in the program or an error of ours. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && typeof error.syscall === 'string';
}

/**
 * The system refused a read just now: no descriptors, no memory, an error of the disk. The file may exist; nothing
 * follows from this error, least of all that it is gone.
 * @returns the error to throw: the cause itself if it is not an error of the system but a mistake in the program.
 */
export function readFailed(path: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause;
  return new OutliveError(
    'READ_FAILED',
    `expected to read ${path}; found ${(cause as Error).message}. Try again; check the limits on open files and memory, and the disk.`,
    { cause },
  );
}

/** A mistake in outlive, as an error for the caller whose call fails because of it. */
export function internal(doing: string, cause: unknown): OutliveError {
  return new OutliveError(
    'INTERNAL',
    `expected outlive to work; found a mistake in it when ${doing}: ${String(cause)}. Please report it, with the stack of the cause.`,
    { cause },
  );
}

/** No record of a task, or one of another session. @param sessionId `null`: no session of the store has it. */
export function taskNotFound(sessionId: string | null, taskId: string): OutliveError {
  const [wanted, list] =
    sessionId === null
      ? ['a task of the store', 'Call store.tasks()']
      : [`a task of session ${JSON.stringify(sessionId)}`, "List the session's tasks"];
  return new OutliveError(
    'TASK_NOT_FOUND',
    `expected ${wanted}; found no record of ${JSON.stringify(taskId)}. ${list} to see which there are.`,
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

/** The store was opened to read. */
export function openedToRead(): OutliveError {
  return new OutliveError(
    'STORE_UNWRITABLE',
    'expected a store that was opened to write; found one that was opened to read. Open it without readOnly.',
  );
}

/**
 * A value from a caller, as a message shows it. Never throws, whatever the value is. Of a text it shows at most this
 * many characters.
 */
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

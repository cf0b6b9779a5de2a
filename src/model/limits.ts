/** Every default and bound that a user can meet, in one place. docs/architecture.md explains them. */
export const defaults = {
  /** A task that runs longer is stopped, unless told otherwise. */
  timeoutMs: 30 * 60_000,
  /** Between the first signal of a stop and SIGKILL. */
  graceMs: 3_000,
  /** Running tasks a session. */
  maxRunning: 64,
  /** A hook (`onExit`) is stopped after this time. */
  onExitMs: 60_000,
  /** Output that a running task may write before it is stopped: 1 GiB. */
  maxOutputBytes: 1024 ** 3,
  /** Output that is kept of an ended task, per stream: 100 MiB. */
  keepOutputBytes: 100 * 1024 ** 2,
  /**
   * Space that a spawn leaves free on the store's file system: the smaller of 1 GiB and this part of it. 5 % of
   * 4 TB would be far too much, and 1 GiB of a small disk all there is.
   */
  diskReserveBytes: 1024 ** 3,
  diskReservePart: 0.05,
  /** What all tasks of a store together may take before the oldest that are done are removed: 10 GiB. */
  maxStoreBytes: 10 * 1024 ** 3,
  /** How long an ended and acknowledged task is kept: 7 days. */
  retentionMs: 7 * 24 * 3_600_000,
  /** Bytes of output that a snapshot and a completion carry. */
  previewBytes: 300,
  /** Bytes that `read` and `tail` return at most when not told. */
  readBytes: 64 * 1024,
  /** Matches that `watch` and `watches` hand out each second; the others are counted. */
  maxMatchesPerSecond: 10,
} as const;

/** Bounds of what is accepted. */
export const bounds = {
  /** Bytes of a session id. */
  sessionIdBytes: 1024,
  /** Bytes of a command; what does not fit an argument goes by file. */
  commandBytes: 16 * 1024 ** 2,
  /** Bytes of a command that the record has whole, since every reader of it pays for them; a longer one is in a file. */
  recordedCommandBytes: 64 * 1024,
  /** Bytes of an argument of a program, as Linux has it. A longer command is evaluated by its shell. */
  argumentBytes: 128 * 1024 - 1,
  /** Bytes of the program of a list of words: no path is longer. */
  programBytes: 4095,
  /** Bytes of a list of words, as Linux counts them where the stack may have 8 MiB, as is usual. */
  wordsBytes: 2 * 1024 ** 2,
  /** Characters of a command that the record keeps when the whole is in a file. */
  commandHeadChars: 4096,
  /** Bytes of what a task runs at its end. */
  onExitBytes: 4096,
  /** Bytes of data for the stdin of a command. */
  stdinBytes: 16 * 1024 ** 2,
  /** Columns, and rows, of a terminal. */
  terminalSide: 1000,
  /** Bytes of a task's name. */
  nameBytes: 256,
  /** Bytes of the key of a task. */
  keyBytes: 1024,
  /** Bytes of output in a snapshot. */
  previewBytes: 1024 ** 2,
  /** Labels a task, and bytes of a key or a value. */
  labels: 64,
  labelBytes: 1024,
  /** The longest duration: what a timer of 32 bits can hold is bridged, and a century is enough. */
  durationMs: 100 * 365 * 24 * 3_600_000,
  /** Less memory than this no shell can start in. */
  memoryBytes: 4 * 1024 ** 2,
  /** Nice values. */
  niceness: { first: -20, last: 19 },
  /** Leftovers that an outcome names. */
  leftovers: 64,
  /** A task that has written nothing for less than this is not called silent: a minute. */
  silentMs: 60_000,
  /** Bytes of a pattern. */
  patternBytes: 4 * 1024,
  /** Steps that a pattern may take for each character: about one for each character of the pattern, with its repeats. */
  patternSteps: 1_000,
  /** Characters of a line, and of the match in it, that a match carries. */
  matchChars: 4096,
  /** Lines of context on each side of a match. */
  contextLines: 100,
  /** Open durable watches a task, and characters of the id of one. */
  watches: 16,
  watchIdChars: 64,
  /**
   * Bytes of a task log that is read whole. A longer one is damaged, or the log of a watch that was acknowledged tens of
   * thousands of times: only its beginning, in which the largest spec has room, and its end are read.
   */
  logBytes: 4 * 1024 ** 2,
  logHeadBytes: 2 * 1024 ** 2,
  logTailBytes: 256 * 1024,
  /** Facts that are read of a log, half of them from its beginning and half from its end, and bytes of one. */
  logFacts: 20_000,
  factBytes: 2 * 1024 ** 2,
  /** Lines of a log that look like facts and are not: after this many, outlive reads no more. */
  garbageLines: 1_000,
  /** Bytes of store.json and of session.json. */
  recordBytes: 64 * 1024,
} as const;

import type { ShellWord } from './shell-words.ts';

/**
 * What the shim is asked for, as the words that native/src/request.c reads: a netstring of netstrings. It goes in a
 * variable of the environment, which the shim takes out before the command gets it, and wipes: a pipe would cost a
 * spawn two descriptors and a write, and arguments stand in every `ps`.
 */
export interface ShimRequest {
  readonly task: string;
  readonly cookie: string;
  /** The secrets that the shim shows at the end of the command, and of the last process. */
  readonly exitProof: string;
  readonly goneProof: string;
  /** Size of the log when it has the spec and nothing else. */
  readonly logOffset: number;
  /** `null`: no timeout. */
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  readonly maxOutputBytes: number | null;
  /** The files that the shim makes for stdout and stderr; without the second, both go into the first. */
  readonly out: string;
  readonly err: string | null;
  /** Beside each file the shim makes a FIFO for the command, and starts a pump. */
  readonly pumped: boolean;
  /** The file of locks by which few shims of a store watch their output at a time. */
  readonly slots: string | null;
  /** What the command reads; absent: nothing. */
  readonly input?: 'data' | 'handed' | 'open';
  /** How many bytes of data come through descriptor 0. */
  readonly dataBytes?: number;
  /** What comes by descriptor 0 goes into an input that stays open. */
  readonly piped?: boolean;
  /** The size of its terminal; absent: it has none. */
  readonly columns?: number;
  readonly rows?: number;
  /** Where its socket goes when it cannot be beside its output. */
  readonly socket?: string;
  readonly leftovers: string;
  /** The process that the task is bound to; start `null`: not known. */
  readonly bound: { readonly pid: number; readonly start: number | null } | null;
  /** The file on which the shims of the session hold locks. */
  readonly queueFile?: string;
  /** Its place in the line: the lower comes first. */
  readonly order?: number;
  /** It starts when fewer tasks of the session run: at once, or refused, or in its turn if it is `queued`. */
  readonly limit?: number;
  readonly queued: boolean;
  /** The task that has to complete before. */
  readonly after?: Dependency | null;
  /** It gets the writing end of a doorbell as descriptor 4. */
  readonly bell: boolean;
  /** It stays a child of its spawner: where nobody reaps orphans. */
  readonly stays: boolean;
  readonly limits: ShimLimits;
  /** The folder in which bash or zsh is to tell how the segments of its last pipeline ended; none: it is not asked. */
  readonly bashPipes?: string;
  readonly zshPipes?: string;
  /**
   * The hook, how long it may run, the file for its output, and the folder where it runs; absent if there is no hook.
   */
  readonly hook?: string;
  readonly hookMs?: number;
  readonly hookOutput?: string;
  readonly hookFolder?: string;
  /** The command line: a program, looked for in the command's own PATH, and its arguments. A path stands for what is in a file. */
  readonly words: readonly ShellWord[];
}

/** The task that has to complete before another one starts. */
export interface Dependency {
  readonly task: string;
  readonly log: string;
  /** What its shim must prove; empty: it can prove nothing. */
  readonly seal: string;
}

/** What the command may use; what is absent is not limited. */
export interface ShimLimits {
  /** The folder of the cgroup to enter. */
  readonly cgroup?: string;
  readonly memoryBytes?: number;
  readonly cpuSeconds?: number;
  readonly processes?: number;
  /** What to add to the nice value. */
  readonly nicer?: number;
}

/**
 * The variable that brings a request. Names that begin with it and `_` bring variables of the command whose bytes are no
 * UTF-8, since Node hands on text alone.
 */
export const requestVariable = 'OUTLIVE_REQUEST';

/** Whether a name of a variable is one of those by which the shim is told things: no command gets it. */
export function isRequestVariable(name: string): boolean {
  return name === requestVariable || name.startsWith(`${requestVariable}_`);
}

/** A variable, as bytes with name, equals sign and value, in text that native/src/main.c makes bytes of again. */
export function escapeVariable(bytes: Buffer): string {
  const asHex = (byte: string): string => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return bytes.toString('latin1').replace(/[%\x80-\xff]/g, asHex);
}

/** A request as text. */
export function encodeRequest({ words, limits, bound, after, ...rest }: ShimRequest): string {
  const fields: Record<string, string | number | boolean | null | undefined> = {
    ...rest,
    ...limits,
    timeoutMs: rest.timeoutMs === null ? null : Math.ceil(rest.timeoutMs),
    graceMs: Math.ceil(rest.graceMs),
    boundPid: bound?.pid,
    boundStart: bound?.start,
    after: after?.task,
    afterLog: after?.log,
    afterSeal: after?.seal,
  };
  const named = Object.entries(fields).flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      : [`${name}=${typeof value === 'boolean' ? Number(value) : value}`],
  );
  return netstring(
    [
      ...named,
      ...words.map((word) =>
        typeof word === 'string'
          ? `word=${word}`
          : `${word.holds === 'word' ? 'wordFile' : 'wordsFile'}=${word.path}`,
      ),
    ]
      .map(netstring)
      .join(''),
  );
}

function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

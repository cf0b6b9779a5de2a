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
  readonly separate: boolean;
  readonly leftovers: string;
  /** The process that the task is bound to; start `null`: not known. */
  readonly bound: { readonly pid: number; readonly start: number | null } | null;
  readonly queued: boolean;
  /** It gets the writing end of a doorbell as descriptor 4. */
  readonly bell: boolean;
  /** It stays a child of its spawner: where nobody reaps orphans. */
  readonly stays: boolean;
  readonly limits: ShimLimits;
  /** The command line: a program, looked for in the command's own PATH, and its arguments. */
  readonly words: readonly string[];
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

/** The variable that brings a request. */
export const requestVariable = 'OUTLIVE_REQUEST';

/** A request as text. */
export function encodeRequest({ words, limits, bound, ...rest }: ShimRequest): string {
  const fields: Record<string, string | number | boolean | null | undefined> = {
    ...rest,
    ...limits,
    timeoutMs: rest.timeoutMs === null ? null : Math.ceil(rest.timeoutMs),
    graceMs: Math.ceil(rest.graceMs),
    boundPid: bound?.pid,
    boundStart: bound?.start,
  };
  const named = Object.entries(fields).flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      : [`${name}=${typeof value === 'boolean' ? Number(value) : value}`],
  );
  return netstring([...named, ...words.map((word) => `word=${word}`)].map(netstring).join(''));
}

function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

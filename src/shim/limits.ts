/** What the text below needs to know. */
export interface LimitArguments {
  /** The cgroup to enter. */
  readonly cgroup: string | null;
  /** KiB of address space, by `ulimit -v`. */
  readonly memoryKib: number | null;
  /** By `ulimit -t`. */
  readonly cpuSeconds: number | null;
  /** By `ulimit -u`, which some shells call `-p`. */
  readonly processes: number | null;
  /** What to add to the nice value. */
  readonly nicer: number | null;
}

/**
 * A program in front of the user's shell that limits itself and then becomes that shell, so that the shim, which has an
 * exit code to record, is not under the limits.
 * - 0 for a pid is whoever writes it, in whatever pid namespace he is.
 * - A limit that the system refuses to set is there already when the hard limit is as low. Otherwise the command does
 *   not run: nothing runs without the limit that was asked for.
 * - The soft limit of CPU time comes a second before the hard one: it ends a process by SIGXCPU, which tells why.
 */
const limit = `: outlive limits
_outlive_refused() {
  echo "outlive: expected to limit $1; the system refused, and the command was not run" >&2
  exit 126
}
_outlive_set() {
  { ulimit -S "$1" "$2" && { ulimit -H "$1" "$3" || :; }; } 2>/dev/null && return
  _outlive_hard=$(ulimit -H "$1" 2>/dev/null) && [ "$_outlive_hard" -le "$2" ] 2>/dev/null
}
if [ "$1" ]; then { echo 0 >"$1/cgroup.procs"; } 2>/dev/null || _outlive_refused "it by the cgroup $1"; fi
if [ "$2" ]; then _outlive_set -v "$2" "$2" || _outlive_refused "memory"; fi
if [ "$3" ]; then _outlive_set -t "$3" $(($3 + 1)) || _outlive_refused "CPU time"; fi
if [ "$4" ]; then _outlive_set -u "$4" "$4" || _outlive_set -p "$4" "$4" || _outlive_refused "processes"; fi
_outlive_nicer=$5
shift 5
[ -z "$_outlive_nicer" ] || exec nice -n "$_outlive_nicer" "$@"
exec "$@"
`;

/** The words to put in front of a command, so that it runs under limits; `shell` is a POSIX shell, with arguments. */
export function limiting(shell: readonly string[], limits: LimitArguments): string[] {
  const { cgroup, memoryKib, cpuSeconds, processes, nicer } = limits;
  const values = [cgroup, memoryKib, cpuSeconds, processes, nicer].map((value) => String(value ?? ''));
  return [...shell, '-c', limit, 'outlive', ...values];
}

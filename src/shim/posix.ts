/** The first words of the shim's text, by which its processes are told from the command's, also by people with `ps`. */
export const shimMark = 'outlive shim';

/**
 * The POSIX shim: the parent of one command, in sh, with built-ins only. It is handed to sh by `-c`, not as
 * a file, so that an upgrade of the package changes nothing under a running task.
 *
 * Its arguments: milliseconds until the timeout (empty: none), seconds of grace, the proof for the exit marker, and the
 * program to run with its arguments. Its descriptors: 1 and 2 the command's output, 3 the task log (appending, readable),
 * 4 the lifeline, a pipe whose other end the spawner holds and nobody writes to (or /dev/null).
 *
 * What it does, and why it is written this way:
 * - Its own stderr goes nowhere: "Terminated" or "Segmentation fault" from this shell is not the command's
 *   output. Some shells print that while a redirection of the command is in force, hence the subshell.
 * - Signals are trapped, not ignored (what is ignored is inherited), so that the shim lives to record how a
 *   command that handles the signal ends.
 * - `started` must be appended before the command runs, else it does not run: nothing runs unrecorded. The child that
 *   becomes the command appends it, in the shim's name (`$$` is the shim there too), so it also says that there was a
 *   process to be had. Where there is none all six shells end, by a code of their own, and bash and mksh after 15 and
 *   31 s of trying again. What cannot append it ends the shim without a word: a code would be taken for the command's.
 * - `echo`, since mksh has no built-in printf. A line break in front (see the codec) and echo's own behind.
 * - The command runs in the foreground: what a shell starts in the background ignores SIGINT and SIGQUIT.
 * - The timer is a second process. While the spawner lives, which enforces the timeout itself, the timer
 *   only blocks in `read` on the lifeline; when the spawner is gone it sleeps for what is left. Half a
 *   second more than the timeout, so that a supervisor that adopted the task comes first. It ignores the
 *   signals of a stop and ends by SIGPROF, together with its sleep, which it reaps, because in a container
 *   nobody else might. (`$!` and not a variable: there is no moment between a fork and its `$!`. Where
 *   nothing was started yet it is empty, or 0 in zsh.)
 * - A supervisor may have begun the stop when the timer runs out: the facts appended since `started` are
 *   what reading descriptor 3 yields, since its offset is where `started` ended. Then only the last resort
 *   is left to do.
 * - `kill -TERM -$$` without `--`, which is an error in dash; `$$` is the shim's pid in a subshell as well.
 * - `times` prints the CPU times behind the exit marker: catching them would need a subshell, which would
 *   have its own.
 * - Names that no user's environment has, because assigning to an imported name changes what the command sees.
 */
export const posixShim = `: ${shimMark}
exec 5>&2 2>/dev/null
trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2
_outlive_nl='
'
_outlive_timeout=$1 _outlive_grace=$2 _outlive_proof=$3 _outlive_timer= _outlive_fact= _outlive_start= _outlive_up= _outlive_line= _outlive_stop= _outlive_nap=
shift 3
_outlive_fields() { _outlive_start=\${20}; }
read -r _outlive_line </proc/$$/stat && _outlive_fields \${_outlive_line##*) }
[ "$_outlive_waited" ] && read -r _outlive_up _outlive_line </proc/uptime
_outlive_fact="{\\"fact\\":\\"started\\",\\"pid\\":$$,\\"start\\":\${_outlive_start:-null}\${_outlive_up:+,\\"uptime\\":$_outlive_up}}"
[ "$_outlive_up" ] && _outlive_start=\${_outlive_up%.*}\${_outlive_up#*.}
if [ "$_outlive_timeout" ]; then
  (
    trap '' HUP INT QUIT PIPE ALRM TERM USR1 USR2
    _outlive_left=$((_outlive_timeout / 10 + 50))
    if [ "$_outlive_start" ] && read -r _outlive_up _outlive_line </proc/uptime; then
      read -r _outlive_line <&4
      read -r _outlive_up _outlive_line </proc/uptime
      _outlive_up=\${_outlive_up%.*}\${_outlive_up#*.}
      _outlive_left=$((_outlive_left - _outlive_up + _outlive_start))
      [ "$_outlive_left" -gt 0 ] || _outlive_left=0
    fi
    exec 4<&-
    trap 'case $_outlive_nap$! in 1|10) ;; 1*) kill -9 $!; wait $! ;; esac; exit' PROF
    PATH=/usr/bin:/bin:$PATH
    _outlive_nap=1; sleep $(((_outlive_left + 99) / 100)) & wait $!; _outlive_nap=
    while read -r _outlive_line <&3; do
      case $_outlive_line in '{"fact":"stop"'*) _outlive_stop=1 ;; esac
    done
    if [ -z "$_outlive_stop" ]; then
      echo "$_outlive_nl{\\"fact\\":\\"stop\\",\\"cause\\":\\"timeout\\",\\"id\\":\\"shim\\"}" >&3
      kill -TERM -$$
      kill -CONT -$$
    fi
    _outlive_nap=1; sleep "$_outlive_grace" & wait $!
    kill -KILL -$$
  ) >/dev/null 5>&- &
  _outlive_timer=$!
fi
(
  echo "$_outlive_nl$_outlive_fact" >&3 || {
    [ "$_outlive_timer" ] && kill -PROF "$_outlive_timer"
    kill -KILL $$
    exit 126
  }
  exec "$@" 2>&5 3>&- 4<&- 5>&-
)
_outlive_code=$?
[ "$_outlive_timer" ] && kill -PROF "$_outlive_timer"
read -r _outlive_up _outlive_line </proc/uptime
echo "$_outlive_nl{\\"fact\\":\\"exit\\",\\"code\\":$_outlive_code,\\"uptime\\":\${_outlive_up:-null},\\"proof\\":\\"$_outlive_proof\\"}" >&3
times >&3
[ "$_outlive_timer" ] && wait "$_outlive_timer"
exit "$_outlive_code"
`;

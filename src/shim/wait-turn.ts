import { shimMark } from './posix.ts';

/**
 * What the shim of a queued task does first: it says that it waits (`waiting`), suspends itself, and goes on to
 * the rest of its text when it finds that it has been given its turn. It holds the environment, which is never
 * on disk, so nobody else could start the command later. Suspended it costs no CPU time, and no process beside it.
 *
 * Descriptor 6 is the task log, open for reading once more: it has an offset of its own, which only reading
 * moves, so no fact goes unread, be it appended before `waiting`. A line that has come in part is put together.
 *
 * Whoever appends `turn` or `stop` continues the shim afterwards. It may read the log just before that and
 * suspend itself just after, so it is continued again until it says that it has started, or is gone. It is
 * continued for nothing as well: then it suspends itself once more. As leader of a session of its own it gets no
 * SIGHUP when its parent dies.
 *
 * Asked to stop it ends without a word: a shim that says `waiting` and never `started` has run no command.
 */
export const waitTurn = `: ${shimMark}
exec 5>&2 2>/dev/null
trap : HUP INT QUIT PIPE ALRM TERM USR1 USR2
_outlive_nl='
'
_outlive_line= _outlive_part= _outlive_turn= _outlive_stop= _outlive_start= _outlive_waited=1
_outlive_fields() { _outlive_start=\${20}; }
read -r _outlive_line </proc/$$/stat && _outlive_fields \${_outlive_line##*) }
echo "$_outlive_nl{\\"fact\\":\\"waiting\\",\\"pid\\":$$,\\"start\\":\${_outlive_start:-null}}" >&3 || exit 126
while :; do
  while IFS= read -r _outlive_line <&6 || { _outlive_part=$_outlive_part$_outlive_line; false; }; do
    case $_outlive_part$_outlive_line in
      '{"fact":"turn"'*) _outlive_turn=1 ;;
      '{"fact":"stop"'*) _outlive_stop=1 ;;
    esac
    _outlive_part=
  done
  [ "$_outlive_stop" ] && exit 143
  [ "$_outlive_turn" ] && break
  kill -STOP $$
done
exec 6<&- 2>&5 5>&-
`;

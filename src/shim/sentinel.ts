/** The first words of the sentinel's text, by which people find it with `ps`. */
const sentinelMark = 'outlive sentinel';

/**
 * The sentinel: a shell that a spawning process leaves beside itself. It blocks in `read` until that process is
 * gone, however it ended, and then starts the keeper, which sees to it that limits hold while nobody watches.
 *
 * Its arguments: the prefix of the marks that keepers leave in the store, node, the keeper's file, and what the
 * keeper is told; `@` stands for its mark. Its
 * descriptor 3 is a socket whose other end the spawner holds. Who ends in order writes a line: `none` when no task of
 * his lives, or the pids of the shims that do. At the end without a line (he was killed) nothing is known.
 *
 * What it does, and why it is written this way:
 * - Built-ins only, but for `sleep`, `rm` and node, none of which runs while the spawner lives.
 * - A second passes first. Most commands have ended by then, and no keeper is needed.
 * - A mark is an empty file whose name says who keeps: start time and pid of a sentinel (or of a keeper that has
 *   lost it). The name is the identity, so who finds that of a dead process may remove it without a race, and
 *   a full disk takes it. Of several who are alive the oldest keeps; the others leave.
 * - It looks whether anybody keeps before it leaves its own mark, so of fifty that wake at once one starts node.
 * - What the compiler saves is not worth its memory for code that runs for some milliseconds a second: with 1,000
 *   live tasks the keeper has 51 MB instead of 58, of which Node alone takes 44. These options are V8's own and may
 *   go with a later one, which then refuses to start, so they are for the first try alone.
 * - A package that was removed meanwhile (npx empties its caches) is nobody's fault: it ends, before it marks
 *   anything, and another version's sentinel may find its keeper. The timeouts are the shims' own.
 * - A keeper that dies is started again, later each time. One that ends in order was not needed any more.
 * - Descriptor 3 and not stdin: a bash whose stdin is a socket takes itself for one that rshd runs, and reads the
 *   user's .bashrc.
 * - `true` and not `:`, since a redirection that fails ends the shell when the command is a special built-in.
 */
export const posixSentinel = `: ${sentinelMark}
exec 2>/dev/null
umask 077
prefix=$1 node=$2 keeper=$3 thrifty='--no-opt --max-lazy --optimize-for-size'
shift 3
IFS=' 
'
start=0 tries=0
state() { begun=\${20} state=$1; }
fields() { read -r line <"/proc/$1/stat" && state \${line##*) }; }
lives() {
  if fields $$; then fields "$1" && [ "$state" != Z ] && [ "$begun" = "$2" ]
  else kill -0 "$1"
  fi
}
kept() {
  for mark in "$prefix"*; do
    [ -e "$mark" ] || continue
    name=\${mark#"$prefix"}
    from=\${name%-*} pid=\${name#*-}
    [ "$pid" != $$ ] || continue
    if [ "$1" ]; then
      [ "$from" -lt "$start" ] || { [ "$from" = "$start" ] && [ "$pid" -lt $$ ]; } || continue
    fi
    lives "$pid" "$from" && return
  done
  return 1
}
needed() {
  [ "$told" ] || return 0
  for pid in $told; do kill -0 "$pid" && return; done
  return 1
}
told=
read -r told <&3
exec 3<&-
[ "$told" != none ] && needed || exit 0
sleep 1
needed || exit 0
[ -x "$node" ] && [ -f "$keeper" ] || exit 0
kept '' && exit 0
fields $$ && start=$begun
mark=$prefix$start-$$ mine=$mark
true >"$mine"
if kept older; then rm -f "$mine"; exit 0; fi
for word; do
  shift
  [ "$word" != @ ] || word=$mine
  set -- "$@" "$word"
done
while [ -f "$keeper" ] && [ "$tries" -lt 8 ]; do
  "$node" $thrifty --max-semi-space-size=1 --max-old-space-size=32 "$keeper" "$@" >/dev/null && break
  thrifty=
  tries=$((tries + 1))
  sleep "$tries"
done
rm -f "$mine"
`;

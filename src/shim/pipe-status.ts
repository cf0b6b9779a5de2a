/** A `|` that is no `||`. What is quoted counts too: then a note is taken that was not needed, and no harm is done. */
const pipe = /(?:^|[^|])\|(?:[^|]|$)/;

/** The array that holds the exit status of each segment of the last pipeline, by shell. */
const arrays: ReadonlyMap<string, string> = new Map([
  ['bash', 'PIPESTATUS'],
  ['zsh', 'pipestatus'],
]);

/**
 * A command with a pipeline, made to note the status of each segment when its shell ends: `false | true` and
 * `make | tee log` succeed as far as the exit code goes. Other commands, and those of shells that cannot
 * tell, are left as they are.
 *
 * The note is taken by a trap that stands before the command, on its first line, so that line numbers in
 * messages stay right; a command that traps EXIT itself goes without. It appends by path, so the command gets
 * no descriptor of the log. `echo` is the shell's own, and the line break in front is for torn facts.
 */
export function notingPipeStatus(command: string, shellName: string, logPath: string): string {
  const array = arrays.get(shellName);
  if (array === undefined || !pipe.test(command)) return command;
  const note =
    `_outlive_p=("\${${array}[@]}"); IFS=,; ` +
    `{ echo $'\\n''{"fact":"pipe","statuses":['"\${_outlive_p[*]}"']}' >>${quote(logPath)}; } 2>/dev/null`;
  return `trap ${quote(note)} EXIT; ${command}`;
}

/** A word as a POSIX shell takes it literally. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

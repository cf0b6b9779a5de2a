/** Languages in which a blank at the beginning of a program means something. What follows -c they take as it is. */
const heedsBlanks = /^(?:python|pypy|ipython|xonsh)/;

/**
 * A command as the word after `-c`. Most shells take one that begins with `-` or `+` for more of their options, and what
 * follows it for the command: a blank in front, which says nothing to them, prevents that. Not all know `--` there.
 */
export function notAnOption(command: string, shellName: string): string {
  return /^[-+]/.test(command) && !heedsBlanks.test(shellName) ? ` ${command}` : command;
}

/** Words that every shell takes as they stand. With `=` in front zsh looks for a program. */
const plainWord = /^[\w@%+:,./-][\w@%+=:,./-]*$/;

/** What a shell takes for something else than a program where a command begins: assignments, words of its language. */
const noProgram =
  /=|^(?:if|then|else|elif|fi|do|done|case|esac|while|until|for|foreach|repeat|in|end|select|function|time|coproc|nocorrect)$/;

/** One word as a POSIX shell takes it literally. */
function quote(word: string): string {
  return plainWord.test(word) ? word : quoted(word);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words as one command: a single one is a shell command already, several are an argv. */
export function commandOf(words: readonly string[]): string {
  const [first = ''] = words;
  return words.length === 1 ? first : words.map(quote).join(' ');
}

/** A program and its arguments as a line that a POSIX shell reads as these words, the first as a program. */
export function lineOf([program = '', ...rest]: readonly string[]): string {
  return [noProgram.test(program) ? quoted(program) : quote(program), ...rest.map(quote)].join(' ');
}

/** One quoted stretch, or characters that stand for themselves. */
const stretch = /'([^']*)'|\\(')|([^'\\ ]+)/y;

/**
 * The words of a line that {@link lineOf} has made.
 * @returns null for any other line.
 */
export function wordsOf(line: string): string[] | null {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    let word: string | null = null;
    for (;;) {
      stretch.lastIndex = at;
      const found = stretch.exec(line);
      if (found === null) break;
      word = `${word ?? ''}${found[1] ?? found[2] ?? found[3] ?? ''}`;
      at = stretch.lastIndex;
    }
    if (word === null) return null;
    words.push(word);
    if (at === line.length) return words;
    if (line[at] !== ' ') return null;
    at += 1;
  }
}

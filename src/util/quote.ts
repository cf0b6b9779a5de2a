/** Words that every shell takes as they stand. */
const plainWord = /^[\w@%+=:,./-]+$/;

/** One word as a POSIX shell takes it literally. */
function quote(word: string): string {
  return plainWord.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Words as one command: a single one is a shell command already, several are an argv. */
export function commandOf(words: readonly string[]): string {
  const [first = ''] = words;
  return words.length === 1 ? first : words.map(quote).join(' ');
}

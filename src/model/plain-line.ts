/**
 * What a terminal would not show of a line: strings up to their terminator (titles, links), control
 * sequences (colours), other escapes, and control characters but tabs. An unterminated one ends with the
 * line. Each branch takes disjoint characters, so matching is linear.
 */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** A line, without its end, as people see it: no escapes, no control characters but tabs. */
export function plainLine(raw: string): string {
  return raw.replace(unseen, '');
}

/** Where the character at an index of {@link plainLine} stands in the line as it was written. */
export function rawIndexOf(raw: string, plainIndex: number): number {
  let removed = 0;
  for (const { index, 0: gone } of raw.matchAll(unseen)) {
    if (index - removed > plainIndex) break;
    removed += gone.length;
  }
  return plainIndex + removed;
}

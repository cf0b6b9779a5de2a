/**
 * What is told of output of which something is gone: a sentence of ours, for people and agents.
 * @param beginsAt the offset of the first byte that is in the file now.
 */
export function sayErased(beginsAt: number): string {
  return `something opened the file of the output anew, as "> /dev/stderr" does, or made it shorter; what is in it now begins at byte ${beginsAt}`;
}

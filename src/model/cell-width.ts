/** What takes no cell: it goes into the one before, or does not show. */
const without = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

/** What takes two: the scripts of East Asia, and what is shown as a picture. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/** Cells of a terminal that a character takes: 0, 1 or 2. */
export function cellWidth(character: string): number {
  if (character < '\u0300') return 1;
  if (without.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

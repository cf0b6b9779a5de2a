import { characterBytes } from '../../util/bytes.ts';

/**
 * The beginning of the character that contains a byte, so that a page begins with a complete character.
 * @param read reads at most this many bytes from an offset on.
 */
export async function characterAt(
  read: (offset: number, maxBytes: number) => Promise<{ readonly bytes: Buffer; readonly offset: number }>,
  offset: number,
): Promise<number> {
  const from = Math.max(0, offset - 3);
  const { bytes, offset: begin } = await read(from, 8);
  if (begin !== from) return offset;
  for (let back = 1; back <= offset - from; back += 1) {
    if (characterBytes(bytes, offset - from - back) > back) return offset - back;
  }
  return offset;
}

/** The largest index at or below `end` at which no UTF-8 character is cut in two. Invalid bytes count as characters. */
export function characterEnd(bytes: Uint8Array, end: number): number {
  let lead = end;
  while (lead > 0 && lead > end - 4 && isContinuation(bytes[lead - 1])) lead -= 1;
  if (lead === 0) return end;
  const length = characterLength(bytes[lead - 1]);
  // Complete, or not the start of anything that goes past the end.
  return lead - 1 + length <= end ? end : lead - 1;
}

/** The smallest index at or above `start` at which a UTF-8 character begins. Invalid bytes count as characters. */
export function characterStart(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && at < start + 3 && isContinuation(bytes[at])) at += 1;
  // Four continuation bytes in a row are no character: binary data, where any start is as good.
  return isContinuation(bytes[at]) ? start : at;
}

/**
 * How many bytes the first `units` UTF-16 units of a text come from that was decoded from these bytes. Of bytes that are
 * no UTF-8 each longest beginning of a character became one U+FFFD, as the Encoding Standard has it.
 */
export function bytesBehind(bytes: Uint8Array, units: number): number {
  let at = 0;
  for (let left = units; left > 0 && at < bytes.length; left -= 1) {
    const length = characterLength(bytes[at]);
    let end = at + 1;
    while (end < at + length && isNext(bytes, at, end)) end += 1;
    // What takes four bytes is two units.
    if (end === at + 4) left -= 1;
    at = end;
  }
  return at;
}

/** Bytes of the UTF-8 character that begins at an index; 0 where none does. */
export function characterBytes(bytes: Uint8Array, at: number): number {
  const length = characterLength(bytes[at]);
  if (length === 1) return (bytes[at] ?? 0x80) < 0x80 ? 1 : 0;
  for (let next = at + 1; next < at + length; next += 1) if (!isNext(bytes, at, next)) return 0;
  return length;
}

/** Whether a byte can continue the character that begins at `lead`: right after some leads fewer bytes are allowed. */
function isNext(bytes: Uint8Array, lead: number, at: number): boolean {
  const [first = 0, byte = 0] = [bytes[lead], bytes[at]];
  if (at > lead + 1) return isContinuation(byte);
  if (first === 0xe0) return byte >= 0xa0 && byte <= 0xbf;
  if (first === 0xed) return byte >= 0x80 && byte <= 0x9f;
  if (first === 0xf0) return byte >= 0x90 && byte <= 0xbf;
  if (first === 0xf4) return byte >= 0x80 && byte <= 0x8f;
  return isContinuation(byte);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function characterLength(lead: number | undefined): number {
  // 0xc0, 0xc1 and those from 0xf5 on begin no character.
  if (lead === undefined || lead < 0xc2 || lead > 0xf4) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

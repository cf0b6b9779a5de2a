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

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function characterLength(lead: number | undefined): number {
  // 0xc0, 0xc1 and those from 0xf5 on begin no character.
  if (lead === undefined || lead < 0xc2 || lead > 0xf4) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

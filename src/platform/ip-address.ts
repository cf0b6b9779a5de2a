/** An IP address of 4 or 16 bytes in its usual form: `127.0.0.1`, `::1`, `::ffff:127.0.0.1`. */
export function ipAddress(bytes: readonly number[]): string {
  return bytes.length === 4 ? bytes.join('.') : shortened(bytes);
}

/** An IPv6 address in its usual form: the longest run of zeros left out. */
function shortened(bytes: readonly number[]): string {
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return `::ffff:${bytes.slice(12).join('.')}`;
  const groups = bytes.flatMap((byte, at) => (at % 2 === 0 ? [byte * 256 + (bytes[at + 1] ?? 0)] : []));
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = text.match(/(?:^|:)0(?::0)+(?:$|:)/g) ?? [];
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? text : text.replace(longest, '::');
}

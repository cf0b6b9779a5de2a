/** A value that somebody handed over, as a message names it. Never throws, whatever the value is; of a text so many characters. */
export function shown(value: unknown, most = 100): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' && typeof value !== 'string') return String(value);
  try {
    return typeof value === 'string'
      ? JSON.stringify(value.slice(0, most))
      : JSON.stringify(value).slice(0, most);
  } catch {
    // A circle, a bigint, a `toJSON` that throws or gives nothing.
    return 'an object';
  }
}

/** A regular expression that matches just this text. */
export function escapedForRegexp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

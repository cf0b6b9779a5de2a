/** A regular expression that matches exactly this text. */
export function escapedForRegexp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** What JSON gave us, before anything is known about it. */
export type Json = Readonly<Record<string, unknown>>;

/** Parses an object; null for anything else. */
export function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether a value is an object with keys, not a list. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value when it is a string, else the fallback. */
export function text<F>(value: unknown, otherwise: F): string | F {
  return typeof value === 'string' ? value : otherwise;
}

/** The value when it is a finite number, else the fallback. */
export function number<F>(value: unknown, otherwise: F): number | F {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

/** The value when it can be an exit code, else the fallback. */
export function exitCode<F>(value: unknown, otherwise: F): number | F {
  return Number.isSafeInteger(value) ? (value as number) : otherwise;
}

/** The value when it is one of the words, else the fallback. */
export function word<W extends string, F>(value: unknown, words: readonly W[], otherwise: F): W | F {
  return words.find((candidate) => candidate === value) ?? otherwise;
}

/** The value when it is a pid that a process can have. */
export function pidOf(value: unknown): number | null {
  // 0 and 1 are never a task's, and a signal to them would hit everybody.
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 1 ? value : null;
}

/** The items of a list that the parser accepts; none when it is no list. */
export function list<T>(value: unknown, parse: (item: unknown) => T | null): T[] {
  if (!Array.isArray(value)) return [];
  return value.map(parse).filter((item) => item !== null);
}

/** The value when it can be a number of bytes. */
export function sizeOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

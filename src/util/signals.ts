import { constants } from 'node:os';

/** The number of a signal on this system; null when there is none of that name. */
export function signalNumber(name: string): number | null {
  const numbers: Readonly<Record<string, number>> = constants.signals;
  if (Object.hasOwn(numbers, name)) return numbers[name] ?? null;
  // The real-time signals have no names: the shim writes SIG and the number.
  const number = /^SIG(\d{1,2})$/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

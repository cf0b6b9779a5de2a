import { constants } from 'node:os';

/** Numbers that all systems of Unix share, for a system that has no such signal: it may read the record of another. */
const shared: Readonly<Record<string, number>> = {
  ...{
    SIGHUP: 1,
    SIGINT: 2,
    SIGQUIT: 3,
    SIGILL: 4,
    SIGTRAP: 5,
    SIGABRT: 6,
    SIGFPE: 8,
    SIGKILL: 9,
    SIGSEGV: 11,
  },
  ...{ SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27 },
};

/** The number of a signal, as this system has it; null if there is no signal with that name. */
export function signalNumber(name: string): number | null {
  const numbers: Readonly<Record<string, number>> = { ...shared, ...constants.signals };
  if (Object.hasOwn(numbers, name)) return numbers[name] ?? null;
  // The real-time signals have no names: the shim writes SIG and the number.
  const number = /^SIG(\d{1,2})$/.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

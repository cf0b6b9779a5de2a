import type { ProcessView } from './system.ts';

/** What /proc/PID/stat says of a process besides what a look at it is for. */
export interface StatUsage {
  readonly view: ProcessView;
  /** User and system time of all its threads, in clock ticks. */
  readonly cpuTicks: number;
  readonly threads: number;
  /** Resident memory. */
  readonly pages: number;
  /** False for the kernel's own threads, and for what is about to end. */
  readonly hasMemory: boolean;
}

/**
 * Fields of /proc/PID/stat behind the name, which may hold blanks and brackets: state, parent, group,
 * session and, as the 20th, the start time in clock ticks since boot.
 */
export function parseStat(text: string): ProcessView | null {
  return viewOf(text, fieldsOf(text));
}

/**
 * The same, and of those fields the 12th and 13th, which are user and system time, the 18th, the threads, and the 21st and
 * 22nd: virtual memory, in bytes, and resident.
 */
export function parseStatUsage(text: string): StatUsage | null {
  const fields = fieldsOf(text);
  const view = viewOf(text, fields);
  if (view === null) return null;
  return {
    view,
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    threads: Number(fields[17]),
    pages: Number(fields[21]),
    hasMemory: fields[20] !== '0',
  };
}

/** Those behind the 22nd are of no use here. */
function fieldsOf(text: string): string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ', 22);
}

function viewOf(text: string, fields: readonly string[]): ProcessView | null {
  const pid = Number.parseInt(text, 10);
  const state = fields[0];
  const start = Number(fields[19]);
  if (!Number.isInteger(pid) || state === undefined || !Number.isFinite(start)) return null;
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    start,
    zombie: state === 'Z' || state === 'X',
    suspended: state === 'T' || state === 't',
  };
}

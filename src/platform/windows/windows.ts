import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../../model/words.ts';
import {
  commandLineChars,
  cookiePattern,
  cookieVariable,
  type Member,
  nobodysCookie,
  type ProcessUsage,
  processKey,
  type System,
} from '../system.ts';
import { holdJob, letGoOfJob, pidsOfJob } from './jobs.ts';
import {
  type ListedProcess,
  listProcesses,
  memoryOf,
  processTimes,
  resume,
  startParameters,
  terminate,
} from './processes.ts';

/** Windows, by its own functions: a process is its pid and its time of creation, a tree is a job. */
export const windows: System = {
  lookMs: 2,
  self: () => {
    own ??= readOwnIdentity();
    return own;
  },
  view: (pid) => {
    const seen = processTimes(pid);
    if (seen === null) return null;
    // What has ended is there as long as somebody holds it, as a zombie is.
    return { ...unknownHere, pid, start: seen.start, zombie: seen.ended };
  },
  isSuspended: () => false,
  carries: (pid, cookie) => cookieOf(pid) === cookie,
  members,
  // Nothing is frozen: there is no signal for it.
  strike: async () => 0,
  usage,
  usageAgain: async (seen) => seen.flatMap(({ pid, cookie }) => usageOf(pid, cookie ?? '')),
  membersOfCgroup: () => [],
  killCgroup: () => undefined,
  namespaceIsAlive: () => true,
  signal: (pid, start, killSignal) => killSignal !== 'SIGCONT' && terminate(pid, start),
  resume,
  hold: holdJob,
  letGo: letGoOfJob,
};

const unknownHere = { parent: 0, group: 0, session: 0, suspended: false };

let own: ProcessIdentity | undefined;

/**
 * A time of creation, to the millisecond and by the wall clock, is not met again after a reboot, so no boot is told
 * apart. The host is not that of the Linux inside of it (WSL), which has the same name and other processes.
 */
function readOwnIdentity(): ProcessIdentity {
  const host = `${hostname()} (Windows)`;
  return {
    pid: process.pid,
    start: windows.view(process.pid)?.start ?? null,
    boot: idOf(host),
    pidNamespace: '',
    host,
  };
}

/** What stands for a boot: the same for all processes of this machine, and another one on each other machine. */
function idOf(host: string): string {
  const hash = createHash('sha256').update(host).digest('hex');
  return hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

/** What belongs to the system, and to no task: the console of each program, which ends with it, and services. */
const ofSystem = new Set(
  [
    'conhost',
    'csrss',
    'dwm',
    'explorer',
    'lsass',
    'plugplay',
    'rpcss',
    'services',
    'smss',
    'svchost',
    'wininit',
  ]
    .concat(['winedevice', 'winlogon'])
    .map((name) => `${name}.exe`),
);

/** The processes that may belong to a task. */
function candidates(): ListedProcess[] {
  return listProcesses().filter(({ pid, name }) => pid > 4 && !ofSystem.has(name.toLowerCase()));
}

/**
 * Every process in the job of the task, or with its cookie, or started by one of these. Programs of MSYS (git-bash)
 * show no cookie, and their parents are gone: those only the job tells, so without it they are missed.
 */
async function members(cookie: string, group: number | null, since: number | null): Promise<Member[]> {
  const listed = candidates();
  const search = new TreeSearch(listed, cookie, group, since);
  return listed
    .filter(({ pid }) => pid !== process.pid && search.isMember(pid))
    .map(({ pid, parent, name }) => ({
      ...unknownHere,
      pid,
      parent,
      group: group ?? pid,
      start: search.startOf(pid),
      zombie: false,
      hasCookie: true,
      command: (startParameters(pid)?.commandLine.trim() || `[${name}]`).slice(0, commandLineChars),
    }))
    .sort((a, b) => (a.start ?? 0) - (b.start ?? 0));
}

/** A look at all processes, to tell which of them belong to a task. */
class TreeSearch {
  readonly #listed: ReadonlyMap<number, ListedProcess>;
  readonly #cookie: string;
  readonly #group: number | null;
  readonly #since: number | null;
  readonly #inJob: ReadonlySet<number>;
  readonly #starts = new Map<number, number | null>();
  readonly #cookies = new Map<number, string | null>();
  readonly #known = new Map<number, boolean>();
  readonly #jobs = new Map<string, ReadonlySet<number>>();

  constructor(listed: readonly ListedProcess[], cookie: string, group: number | null, since: number | null) {
    this.#listed = new Map(listed.map((found) => [found.pid, found]));
    this.#cookie = cookie;
    this.#group = group;
    this.#since = since;
    this.#inJob = new Set(pidsOfJob(cookie));
    // A task that was spawned by this one has a job inside of this one's.
    for (const pid of this.#inJob) this.#jobOf(this.#cookieOf(pid));
  }

  /** When a process was created; null when it is gone meanwhile. */
  startOf(pid: number): number | null {
    const known = this.#starts.get(pid);
    if (known !== undefined) return known;
    const seen = processTimes(pid);
    const start = seen === null || seen.ended ? null : seen.start;
    this.#starts.set(pid, start);
    return start;
  }

  isMember(pid: number): boolean {
    const known = this.#known.get(pid);
    if (known !== undefined) return known;
    // Parents that are gone leave their pids to others: a circle of such is nobody's.
    this.#known.set(pid, false);
    const is = this.#look(pid);
    this.#known.set(pid, is);
    return is;
  }

  #look(pid: number): boolean {
    const start = this.startOf(pid);
    if (start === null || (this.#since !== null && start < this.#since)) return false;
    const cookie = this.#cookieOf(pid);
    if (cookie !== null) return cookie === this.#cookie;
    if ([...this.#jobs.values()].some((job) => job.has(pid))) return false;
    return this.#inJob.has(pid) || this.#isShim(pid, start) || this.#isChildOfMember(pid, start);
  }

  #isShim(pid: number, start: number): boolean {
    return pid === this.#group && (this.#since === null || start === this.#since);
  }

  #isChildOfMember(pid: number, start: number): boolean {
    const parent = this.#listed.get(pid)?.parent ?? 0;
    const began = this.#listed.has(parent) ? this.startOf(parent) : null;
    return began !== null && began <= start && this.isMember(parent);
  }

  #cookieOf(pid: number): string | null {
    const known = this.#cookies.get(pid);
    if (known !== undefined) return known;
    const cookie = cookieOf(pid);
    this.#cookies.set(pid, cookie);
    return cookie;
  }

  #jobOf(cookie: string | null): void {
    if (cookie === null || cookie === this.#cookie || this.#jobs.has(cookie)) return;
    this.#jobs.set(cookie, new Set(pidsOfJob(cookie)));
  }
}

/** Cookies of processes, by `pid:start`: what a process was started with stays. */
const knownCookies = new Map<string, string | null>();

/** As many are kept; then all are looked at again. */
const mostKnown = 4096;

/** The cookie that a process was started with; null without one, or when that cannot be read. */
function cookieOf(pid: number): string | null {
  const key = processKey({ pid, start: processTimes(pid)?.start ?? null });
  const known = knownCookies.get(key);
  if (known !== undefined) return known;
  // Nothing to read yet, or nothing left.
  const environment = startParameters(pid)?.environment ?? '';
  const found = cookieIn(environment);
  if (knownCookies.size >= mostKnown) knownCookies.clear();
  if (environment !== '') knownCookies.set(key, found);
  return found;
}

function cookieIn(environment: string): string | null {
  const entry = `\0${environment}`.indexOf(`\0${cookieVariable}=`);
  if (entry < 0) return null;
  const value = environment.slice(entry + cookieVariable.length + 1).split('\0', 1)[0] ?? '';
  return cookiePattern.test(value) ? value : null;
}

async function usage(): Promise<ProcessUsage[]> {
  const found = new Map<number, string>();
  const seen = new Set<string>();
  const listed = new Set(candidates().map(({ pid }) => pid));
  for (const pid of listed) {
    const cookie = cookieOf(pid);
    if (cookie === null || cookie === nobodysCookie) continue;
    seen.add(cookie);
    found.set(pid, cookie);
  }
  // The console of a program is in the job as well.
  for (const cookie of seen)
    for (const pid of pidsOfJob(cookie) ?? []) if (listed.has(pid) && !found.has(pid)) found.set(pid, cookie);
  return [...found].flatMap(([pid, cookie]) => usageOf(pid, cookie));
}

function usageOf(pid: number, cookie: string): ProcessUsage[] {
  const seen = processTimes(pid);
  if (seen === null || seen.ended) return [];
  return [{ pid, cookie, memoryBytes: memoryOf(pid), cpuMs: seen.cpuMs }];
}

import { execFile, execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import { isSystemError, readFailed } from '../../errors/error.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { withMachine } from '../machine.ts';
import { sendSignal } from '../signal.ts';
import {
  commandLineChars,
  cookieVariable,
  type Member,
  type ProcessUsage,
  type ProcessView,
  processKey,
  type System,
} from '../system.ts';

/** Fixed words and zone, so that a start time is the same number for every reader. */
const environment = { PATH: '/bin:/usr/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC0' };

const columns = 'pid=,ppid=,pgid=,sess=,stat=,lstart=,command=';

/** Enough for the listing of a busy machine, environments included. */
const maxBuffer = 256 * 1024 ** 2;

/** macOS, or any system whose processes are told by `ps` rather than by /proc. */
export const bsd: System = bsdSystem(['ps']);

/** The same by another program than `ps`, with arguments in front of ours: for tests. */
export function bsdSystem(ps: Ps): System {
  const view = (pid: number): ProcessView | null => {
    const text = psSync(ps, ['-ww', '-o', columns, '-p', String(pid)]);
    return parseListing(text)[0]?.view ?? null;
  };
  let own: ProcessIdentity | undefined;
  return {
    // Every look is a process of its own.
    lookMs: 50,
    self: () => {
      own ??= readOwnIdentity(view(process.pid));
      return own;
    },
    view,
    isSuspended: ({ suspended }, command) =>
      suspended || (command !== null && view(command)?.suspended === true),
    carries: (pid, cookie) =>
      psSync(ps, ['-E', '-ww', '-o', 'command=', '-p', String(pid)]).includes(`${cookieVariable}=${cookie}`),
    members: (cookie, group, since) => members(ps, cookie, group, since),
    strike: (cookie, killSignal, known, spare) => strike(ps, cookie, killSignal, known, spare),
    usage: () => usage(ps, null),
    // A second listing costs the same, with any processes in it.
    usageAgain: async (seen) => await usage(ps, new Set(seen.map(({ cookie }) => cookie ?? ''))),
    membersOfCgroup: () => [],
    killCgroup: () => undefined,
    namespaceIsAlive: () => true,
  };
}

/** A program, and what stands in front of its arguments. */
type Ps = readonly [string, ...string[]];

function readOwnIdentity(seen: ProcessView | null): ProcessIdentity {
  const identity = {
    pid: process.pid,
    start: seen?.start ?? null,
    boot: bootId(),
    pidNamespace: '',
    host: hostname(),
  };
  return withMachine(identity, machineId);
}

/** The id that Apple has given this machine. Its name is another one in each network. */
function machineId(): string | null {
  const words = ['-rd1', '-c', 'IOPlatformExpertDevice'];
  const text = answerOf('/usr/sbin/ioreg', words);
  return /"IOPlatformUUID" = "([0-9A-F-]{36})"/.exec(text)?.[1] ?? null;
}

/** The kernel's own id of this boot. */
function bootId(): string {
  return answerOf('sysctl', ['-n', 'kern.bootsessionuuid']);
}

/** What a program prints; nothing where it is not there, or fails. */
function answerOf(program: string, words: readonly string[]): string {
  try {
    return execFileSync(program, words, { env: environment, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch (error) {
    checkFailure(error);
    return '';
  }
}

/**
 * A program of the system that has printed nothing, or is not there, has told nothing.
 * @throws the error, when it is a mistake in the program.
 */
function checkFailure(error: unknown): void {
  const hasEnded = error instanceof Error && 'status' in error;
  if (!hasEnded && !isSystemError(error)) throw error;
}

/** A line of `ps`: numbers, the state, a start time of five words, the command (with -E, then its environment). */
const line = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/;

/** Reads what `ps` lists in our columns. Lines of another form are left out. */
export function parseListing(text: string): { view: ProcessView; command: string }[] {
  return text.split('\n').flatMap((row) => {
    const match = line.exec(row);
    if (match === null) return [];
    const [, pid, parent, group, session, state = '', started = '', command = ''] = match;
    const start = Date.parse(`${started} UTC`) / 1000;
    return [
      {
        view: {
          pid: Number(pid),
          parent: Number(parent),
          group: Number(group),
          session: Number(session) || 0,
          start: Number.isNaN(start) ? null : start,
          zombie: state.startsWith('Z'),
          suspended: state.startsWith('T'),
        },
        command,
      },
    ];
  });
}

/** A line of `ps -o pid=,rss=,time=,command=`: resident kilobytes, and CPU time as [hours:]minutes:seconds. */
const usageLine = /^\s*(\d+)\s+(\d+)\s+((?:\d+:)*\d+(?:\.\d+)?)\s+(.*)$/;

const anyCookie = new RegExp(`\\b${cookieVariable}=(\\S+)`);

/** Reads what `ps` lists of memory and CPU times, for the processes with one of the cookies, or with any. */
export function parseUsage(text: string, cookies: ReadonlySet<string> | null): ProcessUsage[] {
  return text.split('\n').flatMap((row) => {
    const [, pid, kilobytes, time = '', command = ''] = usageLine.exec(row) ?? [];
    const cookie = anyCookie.exec(command)?.[1];
    if (pid === undefined || cookie === undefined || cookies?.has(cookie) === false) return [];
    const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    return [{ pid: Number(pid), cookie, memoryBytes: Number(kilobytes) * 1024, cpuMs: seconds * 1000 }];
  });
}

async function usage(ps: Ps, cookies: ReadonlySet<string> | null): Promise<ProcessUsage[]> {
  return parseUsage(await listing(ps, ['-A', '-E'], 'pid=,rss=,time=,command='), cookies);
}

function psSync([program, ...before]: Ps, args: string[]): string {
  try {
    return execFileSync(program, [...before, ...args], {
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    // `ps -p` of a pid that is not there exits with 1 and prints nothing.
    checkFailure(error);
    return '';
  }
}

/**
 * The processes that the two signs of a task, its cookie and its group, find. Their command lines end with their
 * environments.
 */
async function find(ps: Ps, cookie: string, group: number | null, since: number | null): Promise<Member[]> {
  const entry = `${cookieVariable}=${cookie}`;
  return parseListing(await listing(ps, ['-A', '-E'], columns)).flatMap(({ view, command }) => {
    if (view.zombie || view.pid === process.pid || (since !== null && (view.start ?? 0) < since)) return [];
    const hasCookie = command.includes(entry);
    return hasCookie || view.group === group ? [{ ...view, hasCookie, command }] : [];
  });
}

/** Command lines go into records and are shown, and an environment may hold secrets: they are asked for without it. */
async function members(
  ps: Ps,
  cookie: string,
  group: number | null,
  since: number | null,
): Promise<Member[]> {
  const found = await find(ps, cookie, group, since);
  if (found.length === 0) return found;
  const rows = await listing(ps, ['-p', found.map(({ pid }) => pid).join(',')], 'pid=,command=');
  const commands = new Map(
    rows.split('\n').map((row) => {
      const [, pid, command = ''] = /^\s*(\d+)\s+(.*)$/.exec(row) ?? [];
      return [Number(pid), command];
    }),
  );
  return found.map((member) => {
    // Of one that is gone by now, the program.
    const command = commands.get(member.pid) ?? member.command.split(' ', 1)[0] ?? '';
    return { ...member, command: command.slice(0, commandLineChars) };
  });
}

async function strike(
  ps: Ps,
  cookie: string,
  killSignal: NodeJS.Signals,
  known: Set<string>,
  spare: number | null,
): Promise<number> {
  const found = await find(ps, cookie, null, null);
  const fresh = found.filter((member) => member.pid !== spare && !known.has(processKey(member)));
  for (const member of fresh) {
    known.add(processKey(member));
    sendSignal(member.pid, killSignal);
  }
  return fresh.length;
}

/** `-E` shows the environment of the caller's own processes, after the command. */
function listing([program, ...before]: Ps, which: readonly string[], format: string): Promise<string> {
  const args = [...before, '-ww', '-o', format, ...which];
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: environment, maxBuffer }, (error, stdout) => {
      // Nothing follows from a list that could not be made. One that is empty is an end with 1.
      if (isSystemError(error)) reject(readFailed('the list of processes', error));
      else resolve(stdout);
    });
  });
}

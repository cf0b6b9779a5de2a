import type { ProcessIdentity } from '../model/words.ts';

/** What one check of a process says. */
export interface ProcessView {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Kernel start time in the unit of {@link ProcessIdentity}. */
  readonly start: number | null;
  /** Dead but not yet reaped by its parent: counts as dead. */
  readonly zombie: boolean;
  /** Stopped by a signal (SIGSTOP, SIGTSTP) or a debugger. */
  readonly suspended: boolean;
}

/** What differs from one operating system to another about processes. One file each implements it. */
export interface System {
  /**
   * A suitable pause between two checks of a process that is about to end, in milliseconds; it is long where a check is
   * expensive.
   */
  readonly lookMs: number;
  /** The identity of this process. */
  self(): ProcessIdentity;
  /** Checks one process; `null` if there is none. */
  view(pid: number): ProcessView | null;
  /**
   * Whether a shim that was just seen, or the command that it runs, is stopped by a signal (SIGSTOP, SIGTSTP).
   * @param command its pid; `null`: none runs.
   */
  isSuspended(shim: ProcessView, command: number | null): boolean;
  /** Whether a process carries the cookie: what tells it from a stranger where its start time is not known. */
  carries(pid: number, cookie: string): boolean;
  /**
   * Every process whose `OUTLIVE_TASK` is the cookie or whose group is `group`, zombies left out, and those
   * that started before `since` (a start time; `null`: whenever). Gives the event loop back in between. With `clues`
   * also who has shed both of them, where that can be told.
   */
  members(cookie: string, group: number | null, since: number | null, clues?: Clues): Promise<Member[]>;
  /**
   * Signals every process with the cookie at the very moment in which it is seen, the youngest first: what
   * forks and ends all the time would be gone when a list of it is complete.
   * @param known processes, as `pid:start`, that had the signal; those that get it now are added. Their children
   * get it too, whatever these carry.
   * @param since a start time: what began before it is none of the task's. `null`: that is not known.
   * @returns how many were new.
   */
  strike(
    cookie: string,
    killSignal: NodeJS.Signals,
    known: Set<string>,
    spare: number | null,
    since: number | null,
  ): Promise<number>;
  /** What every live process that may be a task's uses at this moment. */
  usage(): Promise<ProcessUsage[]>;
  /** The same a moment later of those that were seen, cheaper: who came meanwhile is not looked for. */
  usageAgain(seen: readonly ProcessUsage[]): Promise<ProcessUsage[]>;
  /**
   * The environment with which a command was started, as it lies in its memory; null when it cannot be read, or the command is
   * gone. One that is about to run is waited for. Absent where the system does not show it.
   * @param shimPid the shim that runs it.
   */
  environmentOf?(
    command: { readonly pid: number; readonly start: number | null },
    shimPid: number,
  ): Promise<Buffer | null>;
  /** The cookie that a process carries, where a measurement does not tell it. */
  cookieOf?(pid: number): string | null;
  /**
   * The processes in a cgroup and those below it, without this process and those of tasks that were spawned in there:
   * these carry a cookie of their own.
   */
  membersOfCgroup(dir: string, cookie: string): Member[];
  /** Kills all of them at one stroke; does nothing when others are in there, or where the kernel cannot do it. */
  killCgroup(dir: string, cookie: string): void;
  /**
   * Whether a process has a file open, as far as can be seen from here: not those of others, nor of other containers. It
   * looks at all processes. Absent where that cannot be told.
   */
  isOpen?(path: string): boolean;
  /** Whether the pid namespace still has a process, as far as can be seen from here. */
  namespaceIsAlive(namespace: string): boolean;
  /**
   * Only on systems without signals (Windows): ends a process for any signal but SIGCONT, which does nothing. It first
   * checks that the process is still the one that started then.
   */
  signal?(pid: number, start: number | null, killSignal: NodeJS.Signals): boolean;
  /** Has a shim run that was created suspended; does nothing to one that runs. Only where there is no SIGCONT. */
  resume?(pid: number, start: number | null): boolean;
  /** Takes hold of what keeps the processes of a task together, as long as its shim lives, until {@link System.letGo}. */
  hold?(cookie: string): void;
  /** Lets go of it. */
  letGo?(cookie: string): void;
}

/** What one process uses. */
export interface ProcessUsage {
  readonly pid: number;
  /** `null`: not asked for yet, see {@link System.cookieOf}. */
  readonly cookie: string | null;
  /** Resident memory; pages that processes share are counted for each of them. */
  readonly memoryBytes: number;
  /** CPU time since it started, of all its threads. */
  readonly cpuMs: number;
  /** How many threads it has, where that is told. */
  readonly threads?: number;
  /** The look at it, where one was taken on the way. */
  readonly view?: ProcessView;
}

/** A process for good: its pid and its start time. */
export function processKey(process: { pid: number; start: number | null }): string {
  return `${process.pid}:${process.start}`;
}

/** What else tells that a process is a task's, when it carries no cookie and is in no group of the task's. */
export interface Clues {
  /** Processes that are known to be the task's, as {@link processKey}; so are those that they have started. */
  readonly known: ReadonlySet<string>;
  /** The files that the task writes to: whose standard output or error is one of them has it from the task. */
  readonly outputs: () => readonly string[];
}

/** A process that belongs to a task. */
export interface Member extends ProcessView {
  /**
   * It carries the task's cookie, or other clues leave no doubt; the others are known by their process group alone.
   */
  readonly hasCookie: boolean;
  readonly command: string;
}

/** The name of the environment variable that holds the cookie. */
export const cookieVariable = 'OUTLIVE_TASK';

/** The form of a cookie: what has another one in its environment belongs to a task of its own. */
export const cookiePattern = /^bgb-[0-9a-f]{12}\.[0-9a-f]+$/;

/** A cookie of no task: what is started in the job of a task, and has it, is none of that task's processes. */
export const nobodysCookie = 'bgb-000000000000.0';

/** How long a command line of a process may be in records, in characters. */
export const commandLineChars = 200;

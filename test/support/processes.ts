import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { pidsOfJob } from '../../src/platform/windows/jobs.ts';
import { listProcesses, processTimes, startParameters } from '../../src/platform/windows/processes.ts';

/** Whether the tests run on Windows, be it in Wine: processes are looked at in another way there. */
export const onWindows = process.platform === 'win32';

/** Variables that programs of Windows need, and the shell that the tests are to use. */
export const ofWindows =
  /^(?:SystemRoot|SystemDrive|windir|ComSpec|PATH|PATHEXT|TEMP|TMP|USERPROFILE|LOCALAPPDATA|APPDATA|SHELL)$/i;

/** The pids of all processes that are alive (zombies are not). */
export function livePids(): number[] {
  // The console of a program ends by itself, a moment after it.
  if (onWindows)
    return listProcesses().flatMap(({ pid, name }) =>
      pid > 4 && name !== 'conhost.exe' && lives(pid) ? [pid] : [],
    );
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && lives(pid));
}

/** Whether a pid is alive and no zombie. */
export function lives(pid: number): boolean {
  if (onWindows) return processTimes(pid)?.ended === false;
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The process group of a process; there is none on Windows. */
export function groupOf(pid: number): number {
  return onWindows ? 0 : Number(statFields(pid)?.[2]);
}

/** The session that the system counts a process to: the pid of its leader. */
export function systemSessionOf(pid: number): number {
  return Number(statFields(pid)?.[3]);
}

function statFields(pid: number): string[] | undefined {
  const text = readOr(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The cookie that a process shows in its environment. */
export function cookieOf(pid: number): string | undefined {
  const text = onWindows ? startParameters(pid)?.environment : readOr(`/proc/${pid}/environ`);
  const entry = text?.split('\0').find((line) => line.startsWith('OUTLIVE_TASK='));
  return entry?.slice('OUTLIVE_TASK='.length);
}

/** The second is what traces a shim: for a moment it is the process that becomes one. */
const shimNames: ReadonlySet<string | undefined> = new Set(['outlive-shim', 'at-call']);

/** Whether a process is the shim of a task or its pump, or the child of a shim that is about to execute the command. */
export function isShim(pid: number): boolean {
  return !onWindows && shimNames.has(readOr(`/proc/${pid}/comm`)?.trim());
}

/** What a process is, for the message of a test that did not expect it. */
export function lookOf(pid: number): string {
  return `${readOr(`/proc/${pid}/stat`)?.trim()} ${commandLineOf(pid)?.replaceAll('\0', ' ')}`;
}

/** Live processes that belong together by more than their environment: the job of a cookie, on Windows. */
export function pidsBeside(cookie: string): number[] {
  const names = new Map(onWindows ? listProcesses().map(({ pid, name }) => [pid, name]) : []);
  return (pidsOfJob(cookie) ?? []).filter((pid) => lives(pid) && names.get(pid) !== 'conhost.exe');
}

/** The command line of a process, words apart by NUL where the system keeps them so. */
export function commandLineOf(pid: number): string | undefined {
  return onWindows ? startParameters(pid)?.commandLine : readOr(`/proc/${pid}/cmdline`);
}

/** What this process has open, without what Node opens for itself as it likes; nothing where that cannot be told. */
export function openFiles(): string[] {
  if (onWindows) return [];
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter((target) => target !== '' && !/^(anon_inode:|\/proc\/|\/dev\/null$)/.test(target))
    .sort();
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

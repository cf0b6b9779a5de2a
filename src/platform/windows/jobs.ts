import { type Native, native, wide } from './native.ts';
import { withProcess } from './processes.ts';

/** Everything that may be done with a job. */
const allAccess = 0x1f_001f;

/** JOBOBJECTINFOCLASS. */
const kinds = { processIds: 3, extendedLimits: 9 };

/** Size of JOBOBJECT_EXTENDED_LIMIT_INFORMATION, where its flags are, and one of them. */
const limits = { bytes: 144, flags: 16, killOnClose: 0x2000 };

/** A job of more processes than this is listed in part. */
const mostPids = 4096;

/** DUPLICATE_SAME_ACCESS. */
const sameAccess = 2;

/**
 * Jobs of tasks that this process holds. The name of a job leads to it only while somebody has it open, so the shim
 * is given a handle, and who watches the task holds one as well: the shim is gone when leftovers are looked for.
 */
const held = new Map<string, number>();

function jobName(cookie: string): Buffer {
  return wide(`Local\\outlive-${cookie}`);
}

/**
 * Makes the job of a new task, with one process in it; null when that cannot be. Until {@link keepJob} the job
 * ends with this process, and its process with it.
 */
export function makeJob(cookie: string, process: number): number | null {
  const api = native();
  const job = api?.CreateJobObjectW(null, jobName(cookie)) ?? 0;
  if (api === null || job === 0) return null;
  endWithUs(api, job, true);
  if (api.AssignProcessToJobObject(job, process) !== 0) return job;
  api.CloseHandle(job);
  return null;
}

/** From now on a job outlives us; its process holds it open as well. */
export function keepJob(cookie: string, job: number, process: number): void {
  const api = native();
  if (api === null) return;
  endWithUs(api, job, false);
  giveJob(api, job, process);
  held.set(cookie, job);
}

function endWithUs(api: Native, job: number, is: boolean): void {
  const info = Buffer.alloc(limits.bytes);
  info.writeUInt32LE(is ? limits.killOnClose : 0, limits.flags);
  api.SetInformationJobObject(job, kinds.extendedLimits, info, info.length);
}

function giveJob(api: Native, job: number, process: number): void {
  const made = Buffer.alloc(8);
  api.DuplicateHandle(api.GetCurrentProcess(), job, process, made, 0, 0, sameAccess);
}

/** Takes hold of the job of a task that somebody else has started, while that is possible. */
export function holdJob(cookie: string): void {
  if (held.has(cookie) || cookie === '') return;
  const job = native()?.OpenJobObjectW(allAccess, 0, jobName(cookie)) ?? 0;
  if (job !== 0) held.set(cookie, job);
}

/** Lets a job go. What is left of its processes gets it, so that who looks later finds them all. */
export function letGoOfJob(cookie: string): void {
  const [api, job] = [native(), held.get(cookie)];
  if (api === null || job === undefined) return;
  held.delete(cookie);
  for (const pid of pidsOf(api, job)) withProcess(pid, 'duplicate', (handle) => giveJob(api, job, handle));
  api.CloseHandle(job);
}

/** The processes in the job of a task; null if the job is gone. */
export function pidsOfJob(cookie: string): number[] | null {
  const wasHeld = held.has(cookie);
  holdJob(cookie);
  const [api, job] = [native(), held.get(cookie)];
  if (api === null || job === undefined) return null;
  const pids = pidsOf(api, job);
  if (!wasHeld) {
    held.delete(cookie);
    api.CloseHandle(job);
  }
  return pids;
}

function pidsOf(api: Native, job: number): number[] {
  const list = Buffer.alloc(8 + 8 * mostPids);
  // It fails when there are more, but has still listed some.
  api.QueryInformationJobObject(job, kinds.processIds, list, list.length, null);
  const count = Math.min(list.readUInt32LE(4), mostPids);
  return Array.from({ length: count }, (_, at) => Number(list.readBigUInt64LE(8 + 8 * at)));
}

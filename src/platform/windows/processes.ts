import { type Native, native } from './native.ts';

/** A process as the list of processes shows it. */
export interface ListedProcess {
  readonly pid: number;
  /** The pid of its parent, who may be gone, and whose pid may be another process's by now. */
  readonly parent: number;
  /** The name of its program's file. */
  readonly name: string;
}

/** What the system knows of one process. */
export interface ProcessTimes {
  /** When it was created, in epoch milliseconds. */
  readonly start: number;
  readonly ended: boolean;
  /** CPU time so far, in milliseconds. */
  readonly cpuMs: number;
}

const rights = {
  limited: 0x1000,
  synchronize: 0x10_0000,
  terminate: 1,
  read: 0x410,
  duplicate: 0x40,
};

/** Between the epoch of Windows, 1601, and ours, in milliseconds. */
const epochMs = 11_644_473_600_000;

/** Opens a process, uses it, and closes it; null when it cannot be opened: gone, or another user's. */
export function withProcess<T>(
  pid: number,
  right: keyof typeof rights,
  use: (handle: number, api: Native) => T,
): T | null {
  const api = native();
  if (api === null) return null;
  const handle = api.OpenProcess(rights[right] | rights.limited | rights.synchronize, 0, pid);
  if (handle === 0) return null;
  try {
    return use(handle, api);
  } finally {
    api.CloseHandle(handle);
  }
}

/**
 * Times of a process; null if no process has that pid. A process that has ended stays until every handle on it is
 * closed.
 */
export function processTimes(pid: number): ProcessTimes | null {
  return withProcess(pid, 'limited', timesOf);
}

/** The same of a process that is open. */
export function timesOf(handle: number, api: Native): ProcessTimes | null {
  const times = Buffer.alloc(32);
  const [created, exited, kernel, user] = [0, 8, 16, 24].map((at) => times.subarray(at, at + 8));
  const isRead = api.GetProcessTimes(handle, created ?? null, exited ?? null, kernel ?? null, user ?? null);
  if (isRead === 0) return null;
  return {
    start: milliseconds(times, 0) - epochMs,
    ended: api.WaitForSingleObject(handle, 0) === 0,
    cpuMs: milliseconds(times, 16) + milliseconds(times, 24),
  };
}

/** The system counts tenths of microseconds. */
function milliseconds(times: Buffer, at: number): number {
  return Number(times.readBigUInt64LE(at) / 10_000n);
}

/** Ends a process if it is still the one that was created at `start`. False when it is not, or may not be ended. */
export function terminate(pid: number, start: number | null): boolean {
  return (
    withProcess(pid, 'terminate', (handle, api) => {
      const seen = timesOf(handle, api);
      if (seen === null || seen.ended || (start !== null && seen.start !== start)) return false;
      return api.TerminateProcess(handle, 1) !== 0;
    }) ?? false
  );
}

/**
 * Resumes a process that was created suspended; a running one does not change. It resumes each thread (there is one):
 * the call for all threads at once never returns in Wine.
 */
export function resume(pid: number, start: number | null): boolean {
  return (
    withProcess(pid, 'limited', (handle, api) => {
      const seen = timesOf(handle, api);
      if (seen === null || seen.ended || (start !== null && seen.start !== start)) return false;
      return threadsOf(pid, api).filter((id) => resumeThread(id, api)).length > 0;
    }) ?? false
  );
}

/** THREAD_SUSPEND_RESUME. */
const suspendOrResume = 2;

function resumeThread(id: number, api: Native): boolean {
  const thread = api.OpenThread(suspendOrResume, 0, id);
  if (thread === 0) return false;
  api.ResumeThread(thread);
  api.CloseHandle(thread);
  return true;
}

/** Size of THREADENTRY32, and where its fields are. */
const threadEntry = { bytes: 28, id: 8, owner: 12 };

function threadsOf(pid: number, api: Native): number[] {
  const snapshot = api.CreateToolhelp32Snapshot(4, 0);
  if (snapshot === -1) return [];
  const found: number[] = [];
  const row = Buffer.alloc(threadEntry.bytes);
  row.writeUInt32LE(threadEntry.bytes, 0);
  for (let more = api.Thread32First(snapshot, row); more !== 0; more = api.Thread32Next(snapshot, row))
    if (row.readUInt32LE(threadEntry.owner) === pid) found.push(row.readUInt32LE(threadEntry.id));
  api.CloseHandle(snapshot);
  return found;
}

/** Size of PROCESSENTRY32W, and where its fields are. */
const entry = { bytes: 568, pid: 8, parent: 32, name: 44 };

/** All processes of the machine. */
export function listProcesses(): ListedProcess[] {
  const api = native();
  if (api === null) return [];
  const snapshot = api.CreateToolhelp32Snapshot(2, 0);
  if (snapshot === -1) return [];
  const found: ListedProcess[] = [];
  const row = Buffer.alloc(entry.bytes);
  row.writeUInt32LE(entry.bytes, 0);
  for (let more = api.Process32FirstW(snapshot, row); more !== 0; more = api.Process32NextW(snapshot, row)) {
    const name = row.toString('utf16le', entry.name);
    found.push({
      pid: row.readUInt32LE(entry.pid),
      parent: row.readUInt32LE(entry.parent),
      name: name.slice(0, name.indexOf('\0')),
    });
  }
  api.CloseHandle(snapshot);
  return found;
}

/** Where a 64-bit process keeps what it was started with; the layout has not changed since Vista. */
const layout = {
  parameters: 0x20,
  bytes: 0x400,
  commandLine: 0x70,
  environment: 0x80,
  environmentBytes: 0x3f0,
};

/** How many bytes of an environment it reads at most. */
const mostEnvironmentBytes = 1024 * 1024;

/** What a process was started with. */
export interface StartParameters {
  readonly commandLine: string;
  /** Its environment, entries separated by NUL. Programs of MSYS hand theirs on to each other by another way. */
  readonly environment: string;
}

/** Reads what a process was started with from its memory; null when that may not, or cannot, be read. */
export function startParameters(pid: number): StartParameters | null {
  return withProcess(pid, 'read', (handle, api) => {
    const basic = Buffer.alloc(48);
    if (api.NtQueryInformationProcess(handle, 0, basic, basic.length, null) !== 0) return null;
    const block = readMemory(api, handle, pointer(basic, 8) + layout.parameters, 8);
    const parameters = block === null ? null : readMemory(api, handle, pointer(block, 0), layout.bytes);
    if (parameters === null) return null;
    const { commandLine, environment, environmentBytes } = layout;
    const size = Math.min(pointer(parameters, environmentBytes), mostEnvironmentBytes);
    const lineBytes = parameters.readUInt16LE(commandLine);
    return {
      commandLine: text(readMemory(api, handle, pointer(parameters, commandLine + 8), lineBytes)),
      environment: text(readMemory(api, handle, pointer(parameters, environment), size)),
    };
  });
}

function pointer(memory: Buffer, at: number): number {
  return Number(memory.readBigUInt64LE(at));
}

function readMemory(api: Native, handle: number, from: number, size: number): Buffer | null {
  if (from === 0 || size === 0) return null;
  const memory = Buffer.alloc(size);
  return api.ReadProcessMemory(handle, from, memory, size, null) === 0 ? null : memory;
}

function text(memory: Buffer | null): string {
  return memory?.toString('utf16le') ?? '';
}

/** Size of PROCESS_MEMORY_COUNTERS, and where the working set is in it. */
const counters = { bytes: 72, workingSet: 16 };

/** Memory that a process has at this moment, shared pages included; 0 when that cannot be read. */
export function memoryOf(pid: number): number {
  return (
    withProcess(pid, 'read', (handle, api) => {
      const found = Buffer.alloc(counters.bytes);
      found.writeUInt32LE(counters.bytes, 0);
      const isRead = api.K32GetProcessMemoryInfo(handle, found, found.length) !== 0;
      return isRead ? pointer(found, counters.workingSet) : 0;
    }) ?? 0
  );
}

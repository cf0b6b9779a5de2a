import { createRequire } from 'node:module';
import { warn } from '../../errors/warnings.ts';

/** A function of a system library. Handles and addresses are numbers, memory is a Buffer, `null` is no memory. */
type NativeFunction = (...values: (number | bigint | Buffer | null)[]) => number;

/** The functions of Windows that are used, by their own names. */
export type Native = Readonly<Record<keyof typeof prototypes, NativeFunction>>;

/** As koffi reads them. `int64` stands for handles and addresses, so only 64-bit Windows will do. */
const prototypes = {
  OpenProcess: 'int64 __stdcall OpenProcess(uint32 access, int32 inherit, uint32 pid)',
  CloseHandle: 'int32 __stdcall CloseHandle(int64 handle)',
  GetCurrentProcess: 'int64 __stdcall GetCurrentProcess()',
  GetLastError: 'uint32 __stdcall GetLastError()',
  GetProcessTimes: 'int32 __stdcall GetProcessTimes(int64 h, void *a, void *b, void *c, void *d)',
  WaitForSingleObject: 'uint32 __stdcall WaitForSingleObject(int64 handle, uint32 ms)',
  TerminateProcess: 'int32 __stdcall TerminateProcess(int64 process, uint32 code)',
  ReadProcessMemory:
    'int32 __stdcall ReadProcessMemory(int64 h, int64 from, void *to, uint64 size, void *read)',
  K32GetProcessMemoryInfo: 'int32 __stdcall K32GetProcessMemoryInfo(int64 h, void *counters, uint32 size)',
  CreateToolhelp32Snapshot: 'int64 __stdcall CreateToolhelp32Snapshot(uint32 flags, uint32 pid)',
  Process32FirstW: 'int32 __stdcall Process32FirstW(int64 snapshot, void *entry)',
  Process32NextW: 'int32 __stdcall Process32NextW(int64 snapshot, void *entry)',
  Thread32First: 'int32 __stdcall Thread32First(int64 snapshot, void *entry)',
  Thread32Next: 'int32 __stdcall Thread32Next(int64 snapshot, void *entry)',
  OpenThread: 'int64 __stdcall OpenThread(uint32 access, int32 inherit, uint32 id)',
  ResumeThread: 'uint32 __stdcall ResumeThread(int64 thread)',
  CreateProcessW:
    'int32 __stdcall CreateProcessW(void *app, void *line, void *p, void *t, int32 inherit, uint32 flags, void *env, void *cwd, void *startup, void *info)',
  GetStdHandle: 'int64 __stdcall GetStdHandle(uint32 which)',
  SetStdHandle: 'int32 __stdcall SetStdHandle(uint32 which, int64 handle)',
  CreateJobObjectW: 'int64 __stdcall CreateJobObjectW(void *security, void *name)',
  OpenJobObjectW: 'int64 __stdcall OpenJobObjectW(uint32 access, int32 inherit, void *name)',
  AssignProcessToJobObject: 'int32 __stdcall AssignProcessToJobObject(int64 job, int64 process)',
  SetInformationJobObject:
    'int32 __stdcall SetInformationJobObject(int64 job, int32 kind, void *info, uint32 size)',
  QueryInformationJobObject:
    'int32 __stdcall QueryInformationJobObject(int64 job, int32 kind, void *info, uint32 size, void *needed)',
  DuplicateHandle:
    'int32 __stdcall DuplicateHandle(int64 from, int64 handle, int64 to, void *made, uint32 access, int32 inherit, uint32 options)',
  NtQueryInformationProcess:
    'int32 __stdcall NtQueryInformationProcess(int64 process, int32 kind, void *info, uint32 size, void *needed)',
  GetExtendedTcpTable:
    'uint32 __stdcall GetExtendedTcpTable(void *table, void *size, int32 order, uint32 family, int32 kind, uint32 reserved)',
} as const;

/** What of koffi is used. */
interface Koffi {
  load(library: string): { func(prototype: string): NativeFunction };
}

let loaded: Native | null | undefined;

/**
 * The functions of Windows; null on other systems, and where koffi's prebuilt binary is not installed: it is an
 * optional dependency, and only its binary for this processor is one.
 */
export function native(): Native | null {
  loaded ??= load();
  return loaded;
}

function load(): Native | null {
  if (process.platform !== 'win32') return null;
  try {
    const koffi: Koffi = createRequire(import.meta.url)(`@koromix/koffi-win32-${process.arch}`);
    const libraries = new Map(libraryNames.map((name) => [name, koffi.load(name)]));
    const functions = Object.entries(prototypes).map(([name, prototype]) => {
      return [name, libraries.get(libraryOf(name))?.func(prototype)] as const;
    });
    return Object.fromEntries(functions) as unknown as Native;
  } catch (error) {
    // Its binary is not installed, or cannot be loaded here. What else there is, is told.
    const { code } = error as { readonly code?: unknown };
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_DLOPEN_FAILED') warn({ doing: 'loading koffi', error });
    return null;
  }
}

const libraryNames = ['kernel32.dll', 'ntdll.dll', 'iphlpapi.dll'] as const;

function libraryOf(name: string): (typeof libraryNames)[number] {
  if (name === 'GetExtendedTcpTable') return 'iphlpapi.dll';
  return name.startsWith('Nt') ? 'ntdll.dll' : 'kernel32.dll';
}

/** Text as Windows takes it: UTF-16, with a NUL at the end. */
export function wide(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le');
}

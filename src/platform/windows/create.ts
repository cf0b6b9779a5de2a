import { OutliveError } from '../../errors/error.ts';
import { type Native, native, wide } from './native.ts';
import { timesOf } from './processes.ts';

/** A process that was created and does not run yet. */
export interface SuspendedProcess {
  readonly pid: number;
  /** Its time of creation. */
  readonly start: number;
  readonly handle: number;
  /** Has it run. */
  run(): void;
  /** Ends it; it has done nothing. */
  drop(): void;
  /** Lets go of it, whatever becomes of it. */
  close(): void;
}

/** CREATE_SUSPENDED, CREATE_NEW_PROCESS_GROUP, CREATE_UNICODE_ENVIRONMENT, CREATE_NO_WINDOW. */
const flags = 0x4 | 0x200 | 0x400 | 0x0800_0000;

/** Sizes of STARTUPINFOW and PROCESS_INFORMATION. */
const startupBytes = 104;
const infoBytes = 24;

/** Windows takes no more characters. */
const mostLineChars = 32_767;

/**
 * Creates a process that does not run yet, with a console that nobody sees, which its children share: Node can
 * give it none (`detached`), and then each of its console programs would show a window of its own, or one that dies
 * with this process. It inherits no handle.
 * @throws OutliveError `SPAWN_FAILED`.
 */
export function createSuspended(
  commandLine: string,
  cwd: string,
  environment: NodeJS.ProcessEnv,
): SuspendedProcess {
  const api = native();
  const startup = Buffer.alloc(startupBytes);
  startup.writeUInt32LE(startupBytes, 0);
  const info = Buffer.alloc(infoBytes);
  if (api === null || commandLine.length > mostLineChars) throw refused(0);
  const [line, folder, block] = [wide(commandLine), wide(cwd), environmentBlock(environment)];
  const failed = withoutOurOutput(api, () => {
    const isDone = api.CreateProcessW(null, line, null, null, 0, flags, block, folder, startup, info) !== 0;
    return isDone ? null : api.GetLastError();
  });
  if (failed !== null) throw refused(failed);
  const [handle, thread] = [Number(info.readBigUInt64LE(0)), Number(info.readBigUInt64LE(8))];
  return {
    pid: info.readUInt32LE(16),
    start: timesOf(handle, api)?.start ?? 0,
    handle,
    run: () => api.ResumeThread(thread),
    drop: () => api.TerminateProcess(handle, 1),
    close: () => {
      api.CloseHandle(thread);
      api.CloseHandle(handle);
    },
  };
}

/** STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE. */
const standardHandles = [0xffff_fff6, 0xffff_fff5, 0xffff_fff4];

/**
 * Windows gives the process handles of its own console. Wine gives it ours, though it is to inherit none, and whoever
 * reads what we print would then wait for the end of the task. So there are none to be given for a moment.
 */
function withoutOurOutput<T>(api: Native, create: () => T): T {
  const ours = standardHandles.map((which) => [which, api.GetStdHandle(which)] as const);
  try {
    for (const which of standardHandles) api.SetStdHandle(which, 0);
    return create();
  } finally {
    for (const [which, handle] of ours) api.SetStdHandle(which, handle);
  }
}

/** Names are the same in any case: the last one given counts, as with Node. Windows wants them sorted. */
function environmentBlock(environment: NodeJS.ProcessEnv): Buffer {
  const entries = new Map<string, string>();
  for (const [name, value] of Object.entries(environment))
    if (value !== undefined) entries.set(name.toUpperCase(), `${name}=${value}`);
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => `${entry}\0`);
  return Buffer.from(`${sorted.join('')}\0`, 'utf16le');
}

function refused(code: number): OutliveError {
  return new OutliveError(
    'SPAWN_FAILED',
    `expected Windows to start a process; found error ${code}. Check the limits on processes and memory, and that cmd.exe may be run.`,
  );
}

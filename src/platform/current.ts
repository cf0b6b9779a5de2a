import { OutliveError } from '../errors/error.ts';
import type { System } from './system.ts';

/**
 * The system that this process runs on. The code for the others is not even loaded.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` on Linux without /proc, and on Windows without koffi.
 */
export async function currentSystem(): Promise<System> {
  if (process.platform === 'linux') return withProc((await import('./linux/linux.ts')).linux);
  if (process.platform !== 'win32') return (await import('./macos/bsd.ts')).bsd;
  const { native } = await import('./windows/native.ts');
  if (native() !== null) return (await import('./windows/windows.ts')).windows;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    `expected the package @koromix/koffi-win32-${process.arch}, by which processes of Windows are told apart; found that it cannot be loaded. Install outlive with its optional dependencies, in a 64-bit Node.`,
  );
}

/** Without /proc nobody could tell a live task from a dead one, and every verdict would be a guess. */
function withProc(linux: System): System {
  if (linux.self().start !== null) return linux;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected /proc, which outlive needs to tell processes apart; found that it cannot be read. Mount it, as containers usually do.',
  );
}

/**
 * Refuses to start or judge tasks where the processes of this namespace cannot be seen. To read a store does no harm there.
 * @throws OutliveError `UNSUPPORTED_PLATFORM`.
 */
export async function mustSeeProcesses(): Promise<void> {
  if (process.platform !== 'linux' || (await import('./linux/proc.ts')).isOwnProc()) return;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected the /proc of this pid namespace; found that of an outer one, as sandboxes leave it. Only what reads a store works here. Mount /proc in there (bwrap --proc /proc), or run outlive outside of the sandbox.',
  );
}

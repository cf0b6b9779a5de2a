import { OutliveError } from '../errors/error.ts';
import type { System } from './system.ts';

/**
 * The system that this process runs on. The code for the others is not even loaded.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` on Linux without /proc, and on Windows without koffi.
 */
export async function currentSystem(): Promise<System> {
  if (process.platform === 'linux') return withProc((await import('./linux.ts')).linux);
  if (process.platform !== 'win32') return (await import('./bsd.ts')).bsd;
  const { native } = await import('./windows-native.ts');
  if (native() !== null) return (await import('./windows.ts')).windows;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    `expected the package @koromix/koffi-win32-${process.arch}, by which processes of Windows are told apart; found that it cannot be loaded. Install outlive with its optional dependencies, in a 64-bit Node.`,
  );
}

/** Without /proc nobody could tell a live task from a dead one, and every verdict would be a guess. */
function withProc(linux: System): System {
  if (linux.view(process.pid) !== null) return linux;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected /proc, by which processes are told apart; found that it cannot be read. Mount it, as containers usually do.',
  );
}

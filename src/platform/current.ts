import { OutliveError } from '../errors/error.ts';
import { bsd } from './bsd.ts';
import { linux } from './linux.ts';
import type { System } from './system.ts';
import { windows } from './windows.ts';
import { native } from './windows-native.ts';

/**
 * The system that this process runs on.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` on Linux without /proc, and on Windows without koffi.
 */
export function currentSystem(): System {
  if (process.platform === 'linux') return withProc();
  if (process.platform !== 'win32') return bsd;
  if (native() !== null) return windows;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    `expected the package @koromix/koffi-win32-${process.arch}, by which processes of Windows are told apart; found that it cannot be loaded. Install outlive with its optional dependencies, in a 64-bit Node.`,
  );
}

/** Without /proc nobody could tell a live task from a dead one, and every verdict would be a guess. */
function withProc(): System {
  if (linux.view(process.pid) !== null) return linux;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected /proc, by which processes are told apart; found that it cannot be read. Mount it, as containers usually do.',
  );
}

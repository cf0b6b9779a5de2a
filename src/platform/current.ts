import { OutliveError } from '../errors/error.ts';
import { bsd } from './bsd.ts';
import { linux } from './linux.ts';
import type { System } from './system.ts';

/**
 * The system that this process runs on.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` on Windows, and on Linux without /proc.
 */
export function currentSystem(): System {
  if (process.platform === 'linux') return withProc();
  if (process.platform !== 'win32') return bsd;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'outlive runs on Linux and macOS; found Windows. Use it inside WSL there.',
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

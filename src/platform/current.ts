import { OutliveError } from '../errors/error.ts';
import { bsd } from './bsd.ts';
import { linux } from './linux.ts';
import type { System } from './system.ts';

/**
 * The system that this process runs on.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` on Windows.
 */
export function currentSystem(): System {
  if (process.platform === 'linux') return linux;
  if (process.platform !== 'win32') return bsd;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'outlive runs on Linux and macOS; found Windows. Use it inside WSL there.',
  );
}

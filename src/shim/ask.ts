import { execFile } from 'node:child_process';
import { isSystemError, OutliveError } from '../errors/error.ts';
import { expected } from '../errors/expected.ts';

/** Without a shim, a process or a descriptor to be had nothing can be asked. A spawn that needs them says so. */
export const unavailable = expected(
  ...([
    'SHIM_UNAVAILABLE',
    'UNSUPPORTED_PLATFORM',
    'STORE_UNWRITABLE',
    'READ_FAILED',
    'SPAWN_FAILED',
  ] as const),
  ...(['absent', 'refused', 'full', 'scarce', 'failing', 'busy'] as const),
);

/** Each of them takes milliseconds. One that was stopped by somebody must not hold up a spawn for ever. */
const givenUpAfterMs = 10_000;

/**
 * Runs the shim's program for one of the small things that Node cannot do. It needs nothing of the environment.
 * @param keeps whether it keeps this process alive.
 * @returns what it printed.
 * @throws OutliveError `SPAWN_FAILED`, or a system error.
 */
export function askShim(program: string, words: readonly string[], keeps: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: {}, timeout: givenUpAfterMs, killSignal: 'SIGKILL' } as const;
    const child = execFile(program, words, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(isSystemError(error) ? error : failed(program, error));
    });
    if (!keeps) child.unref();
  });
}

/** It has ended with another status than 0, or by a signal. */
function failed(program: string, cause: Error): OutliveError {
  return new OutliveError('SPAWN_FAILED', `expected ${program} to do its work; found: ${cause.message}`, {
    cause,
  });
}

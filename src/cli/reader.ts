import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expected, tolerate } from '../errors/expected.ts';
import { defaultStoreFolder } from '../platform/state-folder.ts';
import { shimFinder } from '../shim/program.ts';

/** The exit status of the shim's program when nobody reads the pipe; see native/src/shim.h. */
const readerGone = 13;

/** Without that program, the next write tells that nobody reads. */
const unavailable = expected(
  ...(['SHIM_UNAVAILABLE', 'UNSUPPORTED_PLATFORM', 'INVALID_ARGUMENT'] as const),
  ...(['absent', 'refused', 'full', 'scarce', 'failing', 'busy'] as const),
);

/**
 * Calls back when no process reads the pipe that is our stdout any more. In `outlive logs -f dev | grep -m1 ready`, grep ends at the
 * line that it finds, and dev may print nothing more for hours: without a write, Node cannot tell that grep is gone.
 * @param store the store that was named on the command line.
 */
export function whenReaderIsGone(store: string | undefined, callback: () => void): void {
  try {
    if (!fstatSync(1).isFIFO()) return;
    const { path } = shimFinder(store ?? defaultStoreFolder()).choose();
    // It ends with this process, since its stdin does. The pipe is not its stdout: Node makes descriptors 0 to 2 of a child blocking,
    // and with them our own stdout. Then a write to a full pipe holds up this process, whatever signal comes.
    const child = spawn(path, ['reader'], { stdio: ['pipe', 'ignore', 'ignore', 1], env: {} });
    child.on('error', (error) => tolerate(error, unavailable, 'waiting until nobody reads what is printed'));
    child.once('exit', (status) => {
      if (status === readerGone) callback();
    });
    child.unref();
    // Bun's has no such method, and keeps no process alive.
    (child.stdin as Partial<Socket>).unref?.();
  } catch (error) {
    tolerate(error, unavailable, 'waiting until nobody reads what is printed');
  }
}

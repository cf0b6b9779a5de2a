import { readlinkSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { monotonicMs, sleep } from '../../util/wait.ts';
import { unseen } from './proc.ts';
import { environInTheEnd, view } from './process-list.ts';

/**
 * The log has the start of a command a moment before it runs. This is how long outlive waits for that, in milliseconds.
 */
const runsWithinMs = 2_000;

/** The environment of a command, once it runs, as the kernel shows it; null when it cannot be read, or the command is gone. */
export async function environmentOf(
  command: { readonly pid: number; readonly start: number | null },
  shimPid: number,
): Promise<Buffer | null> {
  const isIt = (): boolean => {
    const seen = view(command.pid);
    return seen !== null && !seen.zombie && seen.start === command.start;
  };
  const begin = monotonicMs();
  // Until it runs, it is a copy of its shim.
  const isShim = (): boolean => {
    const program = programOf(command.pid);
    return program !== null && program === programOf(shimPid);
  };
  while (isIt() && isShim() && monotonicMs() - begin < runsWithinMs) await sleep(1);
  const seen = view(command.pid);
  const text = seen === null ? null : await environInTheEnd(seen);
  return text !== null && text !== '' && isIt() ? Buffer.from(text, 'latin1') : null;
}

function programOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch (error) {
    tolerate(error, unseen, 'checking the program of a process');
    return null;
  }
}

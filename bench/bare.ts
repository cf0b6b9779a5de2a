import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { timed } from './measure.ts';

/**
 * What a program would do without the library: a detached shell, stdin from nowhere, output to a file of
 * its own. Returns when the process is there.
 */
export function spawnBare(shell: string, command: string, output: string): ChildProcess {
  const descriptor = openSync(output, 'ax', 0o600);
  try {
    return spawn(shell, ['-c', command], {
      stdio: ['ignore', descriptor, descriptor],
      detached: true,
    });
  } finally {
    closeSync(descriptor);
  }
}

/** Resolves with the exit of a bare child. */
export function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
}

/** A process of Node from its start to its end, in milliseconds. */
export async function wholeNode(args: readonly string[]): Promise<number> {
  return await timed(async () => {
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    await exitOf(child);
    if (child.exitCode !== 0) throw new Error(`node ${args.join(' ')} ended with ${child.exitCode}`);
  });
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtShim } from '../shim.ts';
import { fixturePath, type World, waitFor } from '../world.ts';

/** The processes of a spawn: what is started first, the shim, and the command before it is executed. */
export const roles = ['launcher', 'shim', 'child'] as const;

export type Role = (typeof roles)[number];

/** What is done to one of them at one of its calls to the system; see fixtures/at-call.c. */
export interface Plan {
  readonly role: Role;
  readonly number: number;
  readonly action: 'kill' | 'stop' | 'count';
}

/** Why a process cannot be traced here; false where it can. */
export function whyNoTracing(): string | false {
  if (process.platform !== 'linux') return 'processes are traced on Linux only';
  return spawnSync('cc', ['--version']).error !== undefined && 'there is no C compiler for the tracer';
}

/** Compiles the program that is started in place of the shim. */
export function compileAtCall({ base }: World): string {
  const program = `${base}/at-call`;
  const define = `-DREAL_SHIM=${JSON.stringify(builtShim)}`;
  const words = ['-O1', '-Wall', '-Wextra', '-Werror', define, '-o', program, fixturePath('at-call.c')];
  const { status, stderr } = spawnSync('cc', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cc does not compile the tracer:\n${stderr}`);
  return program;
}

/** What such a program has said in the end. */
export interface Said {
  /** The process to which something was done; null: the plan's call was never made. */
  readonly pid: number | null;
  /** How many calls each role has made; only where nothing was done. */
  readonly counts: Readonly<Record<Role, number>> | null;
}

/** What it has said, once it has. */
export function readReport(path: string): Said | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  // It has been made, and not yet been written.
  if (!text.endsWith('\n')) return null;
  const [what, ...words] = text.trim().split(' ');
  if (what === 'done') return { pid: Number(words[1]), counts: null };
  const [launcher = 0, shim = 0, child = 0] = words.map(Number);
  return { pid: null, counts: { launcher, shim, child } };
}

/** Whether a process is stopped by a signal. */
export function isStopped(pid: number): boolean {
  return stateOf(pid) === 'T';
}

/** Waits until it is, or gone. */
export async function untilStopped(pid: number): Promise<void> {
  await waitFor(() => [null, 'T', 'Z', 'X'].includes(stateOf(pid)), `${pid} to be stopped`);
}

function stateOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2)[0] ?? null;
  } catch {
    return null;
  }
}

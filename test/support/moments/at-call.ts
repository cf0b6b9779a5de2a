import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtShim } from '../shim.ts';
import { fixturePath, type World, waitFor } from '../world.ts';

/**
 * The processes of a spawn: what is started first, the shim, the command before it is executed; the same of a hook; the
 * pump; and the fork server.
 */
export const roles = ['launcher', 'shim', 'child', 'runner', 'hook', 'pump', 'server'] as const;

export type Role = (typeof roles)[number];

/** What is done to one of them at one of its calls to the system; see fixtures/at-call.c. */
export interface Plan {
  readonly role: Role;
  readonly number: number;
  readonly action: 'kill' | 'stop' | 'fail' | 'count';
  /**
   * Which call fails and how, as the kernel numbers both, and how many calls of its kind do so: from the first one that is
   * made as the `number`th or later.
   */
  readonly failure?: {
    readonly call: number;
    readonly code: string;
    readonly errno: number;
    readonly times: number;
  };
}

/** Why a process cannot be traced here; false where it can. */
export function whyNoTracing(): string | false {
  if (process.platform !== 'linux') return 'processes are traced on Linux only';
  return spawnSync('cc', ['--version']).error !== undefined && 'there is no C compiler for the tracer';
}

/** Why no call of a process can be had to fail here; false where it can. */
export function whyNoFailing(): string | false {
  return whyNoTracing() || (process.arch !== 'x64' && 'the tracer has calls fail on x64 only');
}

/** A plan as such a program takes it. */
export function encodePlan({ role, number, action, failure }: Plan, report: string): string {
  const deed = failure === undefined ? action : `${action}=${failure.errno}=${failure.times}=${failure.call}`;
  return `${role}:${number}:${deed}:${report}`;
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
  /** The call at which that was done, as the kernel numbers it; null as above. */
  readonly call: number | null;
  /** The calls that each role has made, as the kernel numbers them; only where nothing was done. */
  readonly calls: Readonly<Record<Role, readonly number[]>> | null;
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
  if (what === 'done') return { pid: Number(words[1]), call: Number(words[2]), calls: null };
  const numbers = words.map(Number);
  const counts = numbers.splice(0, roles.length);
  const calls = Object.fromEntries(roles.map((role, at) => [role, numbers.splice(0, counts[at])]));
  return { pid: null, call: null, calls: calls as Record<Role, number[]> };
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

import { execFile } from 'node:child_process';
import { constants } from 'node:os';
import { promisify } from 'node:util';

/** What a program printed, and its exit code. */
export interface Ran {
  readonly stdout: string;
  readonly code: number;
}

/** Runs a program to its end, whatever its exit code. */
export async function ran(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  cwd?: string,
): Promise<Ran> {
  try {
    const options = { env, cwd, timeout: 120_000, maxBuffer: 2 ** 26 };
    const { stdout } = await promisify(execFile)(program, args, options);
    return { stdout, code: 0 };
  } catch (error) {
    const { code, signal, stdout } = error as { code?: unknown; signal?: NodeJS.Signals; stdout?: string };
    if (typeof code === 'number') return { stdout: stdout ?? '', code };
    if (signal) return { stdout: stdout ?? '', code: 128 + constants.signals[signal] };
    throw error;
  }
}

/** The version of an installed program. @throws Error that says how to install it. */
export async function installedVersion(
  program: string,
  flag: string,
  pattern: RegExp,
  install: string,
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [flag]);
    return pattern.exec(stdout)?.[1] ?? '';
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') throw new Error(`not installed (${install})`);
    const text = String((error as { stdout?: string; stderr?: string }).stderr ?? '');
    return pattern.exec(text)?.[1] ?? '';
  }
}

/** Calls a function repeatedly until it returns something other than null, or the time is up. */
export async function until<T>(look: () => Promise<T | null>, withinMs: number): Promise<T | null> {
  const end = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null || performance.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

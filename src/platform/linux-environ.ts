import { readProcRecord } from './proc-file.ts';
import { cookieVariable, keeperVariable } from './system.ts';

/** The form of a cookie: what has another one in its environment belongs to a task of its own. */
export const cookiePattern = /^bgb-[0-9a-f]{8}\.[0-9a-f]+$/;

/** Whether an environment is that of another task's process, or of who looks after tasks. */
export function isSomebodyElses(environ: string | null, cookie: string): boolean {
  if (environ?.includes(`${keeperVariable}=`)) return true;
  const found = cookieIn(environ);
  return found !== null && found !== cookie && cookiePattern.test(found);
}

/** Whether a process carries a cookie. */
export function carries(pid: number, cookie: string): boolean {
  return cookieOf(pid) === cookie;
}

/** The cookie that a process carries. */
export function cookieOf(pid: number): string | null {
  return cookieIn(environOf(pid));
}

/** The environment that a process was started with, as the kernel shows it; null when it cannot be read. */
export function environOf(pid: number): string | null {
  return readProcRecord(`/proc/${pid}/environ`, 'latin1');
}

/** The cookie in an environment. */
export function cookieIn(environ: string | null): string | null {
  if (environ === null) return null;
  const name = `${cookieVariable}=`;
  const at = environ.startsWith(name) ? 0 : environ.indexOf(`\0${name}`) + 1;
  if (at === 0 && !environ.startsWith(name)) return null;
  const end = environ.indexOf('\0', at);
  return environ.slice(at + name.length, end < 0 ? undefined : end);
}

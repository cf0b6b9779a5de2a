import { readProcRecord } from './proc-file.ts';
import { cookiePattern, cookieVariable, keeperVariable } from './system.ts';

/** Whether an environment is that of another task's process, or of who looks after tasks. */
export function isSomebodyElses(environ: string | null, cookie: string): boolean {
  if (environ?.includes(`${keeperVariable}=`)) return true;
  return isAnother(cookieIn(environ), cookie);
}

/** Whether what was found in an environment is the cookie of another task. */
export function isAnother(found: string | null, cookie: string): boolean {
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

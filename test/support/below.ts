import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startParameters } from '../../src/platform/windows/processes.ts';
import { factsOf } from './logs.ts';
import { cookieOf, isShim, onWindows, pidsBeside } from './processes.ts';
import { processes } from './world.ts';

/** The cookies of processes whose output goes below a folder, shims included. */
export function cookiesBelow(dir: string): string[] {
  if (onWindows)
    return [...thatName(dir).flatMap((pid) => cookieOf(pid) ?? []), ...cookiesOfLogs(dir).filter(isAlive)];
  return pidsBelow(dir).flatMap((pid) => cookieOf(pid) ?? []);
}

/** The same without shims, which end a moment after they have recorded the end of their task. */
export function commandsBelow(dir: string): string[] {
  if (onWindows) return cookiesBelow(dir);
  return pidsBelow(dir).flatMap((pid) => (isShim(pid) ? [] : (cookieOf(pid) ?? [])));
}

/** Processes whose output goes below a folder. */
export function pidsBelow(dir: string): number[] {
  if (onWindows) return [...new Set([...thatName(dir), ...cookiesOfLogs(dir).flatMap(pidsBeside)])];
  return processes().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/1`).startsWith(`${dir}/`);
    } catch {
      return false;
    }
  });
}

/** Ends the processes whose output goes below a folder. */
export function endBelow(dir: string): void {
  for (const pid of pidsBelow(dir)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
}

/** All files below a folder, pipes included. */
export function filesBelow(dir: string): string[] {
  // Who died before it was made has left none.
  if (!existsSync(dir)) return [];
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => join(dir, path));
  return paths
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    .map((path) => (onWindows ? path.replaceAll('\\', '/') : path));
}

/**
 * Processes of tasks that name the folder, on Windows, where nobody sees what another has open: the wrapper in its
 * command line, and the shell in its environment.
 */
function thatName(dir: string): number[] {
  return processes().filter((pid) => {
    const { commandLine = '', environment = '' } = startParameters(pid) ?? {};
    const told = `${commandLine}\n${environment}`.replaceAll('\\', '/');
    return (
      (told.includes(`${dir}/`) || told.includes(`${dir}.`)) && environment.includes('OUTLIVE_TASK=bgb-')
    );
  });
}

function isAlive(cookie: string): boolean {
  return pidsBeside(cookie).length > 0;
}

/** Whose processes are in jobs, whatever they name. */
function cookiesOfLogs(dir: string): string[] {
  return filesBelow(dir)
    .filter((path) => path.endsWith('.jsonl'))
    .flatMap((path) => factsOf(path).flatMap((fact) => (fact.fact === 'spec' ? [fact.cookie] : [])));
}

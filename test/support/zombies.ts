import { readdirSync, readFileSync } from 'node:fs';

/** The pids of dead processes of a process group that nobody has reaped, without the group's leader. */
export function zombiesOf(group: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isZombieOf(pid, group));
}

/** The pids of dead children that a process, or one of several, has not reaped. */
export function zombieChildrenOf(...parents: number[]): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const seen = Number.isInteger(pid) ? look(pid) : null;
      return seen?.state === 'Z' && parents.includes(seen.parent);
    });
}

function isZombieOf(pid: number, group: number): boolean {
  const seen = look(pid);
  return seen?.state === 'Z' && pid !== group && seen.group === group;
}

function look(pid: number): { state: string; parent: number; group: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent, group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent), group: Number(group) };
  } catch {
    return null;
  }
}

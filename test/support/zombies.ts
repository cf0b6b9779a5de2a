import { readdirSync, readFileSync } from 'node:fs';

/** The pids of dead processes of a process group that nobody has reaped, without the group's leader. */
export function zombiesOf(group: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isZombieOf(pid, group));
}

function isZombieOf(pid: number, group: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , processGroup] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' && pid !== group && Number(processGroup) === group;
  } catch {
    return false;
  }
}

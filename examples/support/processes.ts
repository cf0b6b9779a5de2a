import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that is alive, as the operating system lists it. */
export interface LiveProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
  /** The value of `OUTLIVE_TASK` in its environment, where that can be read (Linux). */
  readonly cookie: string | null;
}

/**
 * All processes that are alive, zombies left out. It asks the operating system and not outlive, so that an
 * example can check with eyes of its own what outlive says.
 */
export function liveProcesses(): LiveProcess[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

/** Those of some processes that are alive in the end: what is about to end has two seconds for it. */
export async function stillAlive(isMeant: (one: LiveProcess) => boolean): Promise<LiveProcess[]> {
  for (let looks = 1; ; looks += 1) {
    const found = liveProcesses().filter(isMeant);
    if (found.length === 0 || looks === 100) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A process and everything below it, parents first. */
export function treeOf(pid: number): LiveProcess[] {
  const all = liveProcesses();
  const tree = all.filter((process) => process.pid === pid);
  // The list grows while it is walked.
  for (const { pid: parent } of tree) tree.push(...all.filter((process) => process.parent === parent));
  return tree;
}

function fromProc(): LiveProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      // The program's name, in parentheses, may hold spaces and parentheses itself.
      const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === undefined || state === '' || 'ZX'.includes(state)) return [];
      const command = read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
      const cookie = /(?:^|\0)OUTLIVE_TASK=([^\0]*)/.exec(read(`/proc/${name}/environ`))?.[1] ?? null;
      return [{ pid: Number(name), parent: Number(parent), group: Number(group), command, cookie }];
    });
}

function fromPs(): LiveProcess[] {
  const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,command='], { encoding: 'utf8' });
  return listing.split('\n').flatMap((line) => {
    const [, pid, parent, group, state, command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (state === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), command, cookie: null }];
  });
}

/** Empty when the process is gone, or somebody else's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

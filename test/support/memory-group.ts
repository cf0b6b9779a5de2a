import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { quote, waitFor } from './world.ts';

let next = 0;

/**
 * A cgroup whose processes have so much memory together, in the hierarchy of version 2, or in that for memory of version 1.
 * Needs the rights of root.
 */
export class MemoryGroup implements AsyncDisposable {
  readonly #dir: string;

  constructor(bytes: number) {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const mountOf = (type: RegExp): string | undefined =>
      mounts.find((line) => type.test(line))?.split(' ')[4];
    const unified = mountOf(/ - cgroup2 /);
    const controllers = unified === undefined ? '' : readFileSync(`${unified}/cgroup.controllers`, 'utf8');
    const isUnified = controllers.split(/\s/).includes('memory');
    const mount = isUnified ? unified : mountOf(/ - cgroup .*\bmemory\b/);
    if (mount === undefined) throw new Error('expected a hierarchy of cgroups that limits memory');
    if (isUnified) writeFileSync(`${mount}/cgroup.subtree_control`, '+memory');
    this.#dir = `${mount}/outlive-memory-${process.pid}-${next++}`;
    mkdirSync(this.#dir);
    writeFileSync(`${this.#dir}/${isUnified ? 'memory.max' : 'memory.limit_in_bytes'}`, String(bytes));
    // With swap there would be no end to it.
    const swap = `${this.#dir}/${isUnified ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes'}`;
    if (existsSync(swap)) writeFileSync(swap, isUnified ? '0' : String(bytes));
  }

  /** What to put in front of a command, so that it and all that it starts are in the group. */
  get enter(): string[] {
    return ['sh', '-c', `echo 0 >${quote(`${this.#dir}/cgroup.procs`)} && exec "$@"`, 'sh'];
  }

  /** The processes in it. */
  pids(): number[] {
    return readFileSync(`${this.#dir}/cgroup.procs`, 'utf8').trim().split('\n').filter(Boolean).map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await waitFor(() => this.pids().length === 0, 'the processes of the group to be gone');
    await waitFor(() => {
      try {
        rmdirSync(this.#dir);
        return true;
      } catch {
        return false;
      }
    }, 'the group to be removed');
  }
}

import { readlinkSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { type Clues, commandLineChars, type Member, type ProcessView, processKey } from '../system.ts';
import { cookieIn, isSomebodyElses, readProcFile, readProcRecord, unseen } from './proc.ts';

/** A look at processes, to tell which of them are a task's: by what they carry, and by what else is known. */
export class Sorting {
  readonly #cookie: string;
  readonly #group: number | null;
  readonly #found: Member[] = [];
  /** Of these nothing tells whose they are. */
  readonly #others: ProcessView[] = [];

  constructor(cookie: string, group: number | null) {
    this.#cookie = cookie;
    this.#group = group;
  }

  /** Adds a process with its environment. */
  add(seen: ProcessView, environ: string | null): void {
    const hasCookie = cookieIn(environ) === this.#cookie;
    if (hasCookie || seen.group === this.#group) this.#found.push(asMember(seen, hasCookie));
    else if (!isSomebodyElses(environ, this.#cookie)) this.#others.push(seen);
  }

  /** Those that are the task's. */
  members(clues: Clues | undefined): Member[] {
    if (clues === undefined || this.#others.length === 0) return this.#found;
    const sure = this.#found.filter((seen) => seen.hasCookie || clues.known.has(processKey(seen)));
    return [...this.#found, ...kin(this.#others, sure, clues).map((seen) => asMember(seen, true))];
  }
}

/**
 * Those of some processes that are a task's although they carry nothing that says so: they were known to be, they
 * descend from one that is (while the chain of parents lives, for a process that loses its parent gets another one), or their
 * standard output or error is the task's, which nobody else can have got.
 * @param sure processes that are the task's beyond doubt.
 */
function kin(others: readonly ProcessView[], sure: readonly ProcessView[], clues: Clues): ProcessView[] {
  const outputs = clues.outputs();
  const ours = new Set(sure.map(({ pid }) => pid));
  const found: ProcessView[] = [];
  let left = others;
  // A parent may come after its child, because pids start again from the bottom.
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    left = left.filter((seen) => {
      const isOurs =
        ours.has(seen.parent) ||
        clues.known.has(processKey(seen)) ||
        (before === 0 && writesTo(seen, outputs));
      if (isOurs) {
        ours.add(seen.pid);
        found.push(seen);
      }
      return !isOurs;
    });
  }
  return found;
}

/** By the name of the file, without opening it: it may be on a file system that does not answer. */
function writesTo({ pid }: ProcessView, outputs: readonly string[]): boolean {
  return [1, 2].some((descriptor) => {
    try {
      return outputs.includes(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    } catch (error) {
      tolerate(error, unseen, 'checking where a process writes to');
      return false;
    }
  });
}

/** A process as a member of a task. */
export function asMember(seen: ProcessView, hasCookie: boolean): Member {
  return { ...seen, hasCookie, command: commandLine(seen.pid) };
}

function commandLine(pid: number): string {
  const line = readProcRecord(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
  if (line) return line.slice(0, commandLineChars);
  const name = readProcFile(`/proc/${pid}/comm`)?.trim();
  return name ? `[${name}]` : '';
}

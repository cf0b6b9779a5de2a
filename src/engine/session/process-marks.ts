import { createHash } from 'node:crypto';
import { statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tolerate } from '../../errors/expected.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { livesHere } from '../../platform/identity.ts';
import type { System } from '../../platform/system.ts';
import { namesIn } from '../../tasklog/files.ts';
import { passing } from './background.ts';

/**
 * What a process says by an empty file with its identity in the name: that it keeps a store (or is about to), or that it has
 * a session open.
 */
export type MarkKind = 'keeper' | 'open';

/** The process that a mark names. */
export interface MarkedProcess {
  readonly pid: number;
  /** Kernel start time; 0 where it could not be read. */
  readonly start: number;
}

/** The marks in a folder. */
export interface Marks {
  /** The processes of this machine that have left one and live. */
  readonly living: readonly MarkedProcess[];
  /** How many others there are, of another machine or container, that were touched lately. */
  readonly elsewhere: number;
  /** The paths of those that dead processes have left. */
  readonly dead: readonly string[];
}

/** A mark of another machine or container that nobody has touched for this long was left by a dead process. */
const foreignMarkMs = 600_000;

/** How often a process touches its mark, for those who cannot see the process. */
export const touchEveryMs = 60_000;

const markName = /^(keeper|open)-([0-9a-f]{16})-(\d{1,15})-(\d{1,10})$/;

/**
 * How the marks of this machine's processes begin: `<folder>/<kind>-<hash>-`, then start time and pid. The hash is
 * that of host, boot and pid namespace, because a pid means nothing in another: each machine and container
 * that shares a store has marks of its own.
 */
export function markPrefix(dir: string, kind: MarkKind, self: ProcessIdentity): string {
  const where = `${self.host}\0${self.boot}\0${self.pidNamespace}`;
  return join(dir, `${kind}-${createHash('sha256').update(where).digest('hex').slice(0, 16)}-`);
}

/** The marks of a kind in a folder. Nothing is removed. */
export function marksIn(dir: string, kind: MarkKind, system: System): Marks {
  const ours = markPrefix('', kind, system.self()).slice(kind.length + 1, -1);
  const living: MarkedProcess[] = [];
  const dead: string[] = [];
  let elsewhere = 0;
  for (const name of namesIn(dir)) {
    const [, found, where, start, pid] = markName.exec(name) ?? [];
    if (found !== kind) continue;
    const marked = { pid: Number(pid), start: Number(start) };
    // One that cannot read its start time writes 0. On Linux that means no /proc, and a keeper cannot work.
    const isExact = marked.start > 0 || process.platform === 'linux';
    const lives = livesHere(marked.pid, isExact ? marked.start : null, system);
    if (where === ours && lives) living.push(marked);
    else if (where === ours || isOld(join(dir, name))) dead.push(join(dir, name));
    else elsewhere += 1;
  }
  return { living, elsewhere, dead };
}

/** The paths of all marks of a kind in a folder. */
export function allMarks(dir: string, kind: MarkKind): string[] {
  return namesIn(dir)
    .filter((name) => markName.exec(name)?.[1] === kind)
    .map((name) => join(dir, name));
}

/** Leaves a mark, or shows that it is still meant. Where the store takes none, the process goes without. */
export function leaveMark(path: string): void {
  try {
    writeFileSync(path, '', { mode: 0o600 });
    utimesSync(path, new Date(), new Date());
  } catch (error) {
    // A store or session that is gone, or read-only.
    tolerate(error, passing, 'writing the mark of a process');
  }
}

/** Takes a mark away. */
export function removeMark(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Already gone, or out of reach: the name of a dead process says nothing to anybody.
    tolerate(error, passing, 'removing the mark of a process');
  }
}

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > foreignMarkMs;
  } catch (error) {
    tolerate(error, passing, 'checking the mark of a process');
    return false;
  }
}

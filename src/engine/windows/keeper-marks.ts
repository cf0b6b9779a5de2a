import { createHash } from 'node:crypto';
import { statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../model/words.ts';
import { livesHere } from '../../platform/identity.ts';
import type { System } from '../../platform/system.ts';
import { namesIn } from '../../tasklog/files.ts';

/** Who says by a mark that he keeps a store, or is about to. */
export interface Keeper {
  readonly pid: number;
  /** Kernel start time; 0 where it could not be read. */
  readonly start: number;
}

/** A mark of another machine or container that nobody has touched for so long was left by a dead keeper. */
const foreignMarkMs = 600_000;

const markName = /^keeper-([0-9a-f]{16})-(\d{1,15})-(\d{1,10})$/;

/**
 * How the marks of this machine's keepers begin: `<store>/keeper-<hash>-`, then start time and pid. The hash is
 * that of host, boot and pid namespace, because a pid means nothing in another: each machine and container
 * that shares a store has a keeper of its own.
 */
export function markPrefix(dir: string, self: ProcessIdentity): string {
  const where = `${self.host}\0${self.boot}\0${self.pidNamespace}`;
  return join(dir, `keeper-${createHash('sha256').update(where).digest('hex').slice(0, 16)}-`);
}

/** Whether another keeper lives that is older: then that one keeps the store. Removes the marks of the dead. */
export function hasOlderKeeper(dir: string, system: System, keeper: Keeper): boolean {
  return livingKeepers(dir, system).some(
    ({ pid, start }) => start < keeper.start || (start === keeper.start && pid < keeper.pid),
  );
}

/** The keepers of a store on this machine that live. Removes the marks of those who do not. */
export function livingKeepers(dir: string, system: System): Keeper[] {
  const ours = markPrefix('', system.self()).slice('keeper-'.length, -1);
  const living: Keeper[] = [];
  for (const name of namesIn(dir)) {
    const [match, where, start, pid] = markName.exec(name) ?? [];
    if (match === undefined) continue;
    const keeper = { pid: Number(pid), start: Number(start) };
    // A sentinel that cannot read its start time writes 0. On Linux that means no /proc, and its keeper cannot work.
    const isExact = keeper.start > 0 || process.platform === 'linux';
    const lives = livesHere(keeper.pid, isExact ? keeper.start : null, system);
    if (where === ours && lives) living.push(keeper);
    else if (where === ours || isOld(join(dir, name))) removeMark(join(dir, name));
  }
  return living;
}

/** Leaves a mark, or shows that it is still meant. Where the store takes none, the keeper goes without. */
export function leaveMark(path: string): void {
  try {
    writeFileSync(path, '', { mode: 0o600 });
    utimesSync(path, new Date(), new Date());
  } catch {
    // A store that is gone, or read-only. Two keepers on one store do no harm.
  }
}

/** Takes a mark away. */
export function removeMark(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone, or out of reach: the name of a dead process says nothing to anybody.
  }
}

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > foreignMarkMs;
  } catch {
    return false;
  }
}

import { systemCode } from '../errors/error.ts';
import { expected, tolerate } from '../errors/expected.ts';
import type { Liveness, ProcessIdentity } from '../model/words.ts';
import type { ProcessView, System } from './system.ts';

const answers = expected('ESRCH', 'EPERM');

/** On every system a pid is a signed number of 32 bits. A larger one, cut to that, would be another process, a group, or all. */
const largestPid = 2 ** 31 - 1;

/** Where an identity comes from, seen from this process. */
export type Origin =
  /** This machine, boot and pid namespace: its pids mean something here. */
  | 'here'
  /** This machine before its last start. */
  | 'earlier_boot'
  /**
   * A container of this machine, since the last start of the machine, and no process of it is visible here: it has
   * ended, or it hides. The files that it holds open tell which.
   */
  | 'unseen'
  /** Another machine, or a container that lives. */
  | 'elsewhere';

/** Tells where an identity comes from. */
export function originOf(identity: ProcessIdentity, system: System): Origin {
  const self = system.self();
  if (identity.boot !== self.boot) return isSameMachine(identity, self) ? 'earlier_boot' : 'elsewhere';
  // Where the kernel does not tell one boot from another, the machine does.
  if (self.boot === '' && !isSameMachine(identity, self)) return 'elsewhere';
  if (identity.pidNamespace === self.pidNamespace) return 'here';
  return system.namespaceIsAlive(identity.pidNamespace) ? 'elsewhere' : 'unseen';
}

/** A machine may be given another name, and two may have the same: a name only counts where nothing else is known. */
function isSameMachine(one: ProcessIdentity, other: ProcessIdentity): boolean {
  if (one.machine === undefined || other.machine === undefined) return one.host === other.host;
  return one.machine === other.machine;
}

/**
 * Whether the process of that identity lives. A zombie is dead, and so is a pid that has another start time. One of a
 * container that is not seen counts as dead if that had the name of this one, which was started again then.
 */
export function isAlive(identity: ProcessIdentity, system: System): Liveness {
  switch (originOf(identity, system)) {
    case 'here':
      return livesHere(identity.pid, identity.start, system) ? 'yes' : 'no';
    case 'earlier_boot':
      return 'no';
    case 'unseen':
      return identity.host === system.self().host ? 'no' : 'unknown';
    case 'elsewhere':
      return 'unknown';
  }
}

/** Whether a pid of this namespace is the process that started at `start` (`null`: not known, then any). */
export function livesHere(pid: number, start: number | null, system: System): boolean {
  return viewHere(pid, start, system) !== null;
}

/** A look at that process; null when it is gone. */
export function viewHere(pid: number, start: number | null, system: System): ProcessView | null {
  const seen = pidExists(pid) ? system.view(pid) : null;
  return seen === null || seen.zombie || (start !== null && seen.start !== start) ? null : seen;
}

/** Whether a process can have that pid. Numbers below 1 mean groups of processes to `kill()`. */
export function isPid(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= largestPid;
}

/** Cheap and rough: whether anything, be it a zombie or a stranger, has that pid. */
export function pidExists(pid: number): boolean {
  if (!isPid(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    tolerate(error, answers, 'asking for a process');
    // EPERM: it is there, and somebody else's.
    return systemCode(error) === 'EPERM';
  }
}

import type { Liveness, ProcessIdentity } from '../model/words.ts';
import type { ProcessView, System } from './system.ts';

/** Where an identity comes from, seen from this process. */
export type Origin =
  /** This machine, boot and pid namespace: its pids mean something here. */
  | 'here'
  /** This machine before its last start. */
  | 'earlier_boot'
  /** This container before it was started again. */
  | 'earlier_container'
  /** Another machine or container that may well be alive. */
  | 'elsewhere';

/** Tells where an identity comes from. */
export function originOf(identity: ProcessIdentity, system: System): Origin {
  const self = system.self();
  if (identity.boot !== self.boot) return identity.host === self.host ? 'earlier_boot' : 'elsewhere';
  if (identity.pidNamespace === self.pidNamespace) return 'here';
  if (identity.host !== self.host || system.namespaceIsAlive(identity.pidNamespace)) return 'elsewhere';
  return 'earlier_container';
}

/** Whether the process of that identity lives. A zombie is dead, and so is a pid that has another start time. */
export function isAlive(identity: ProcessIdentity, system: System): Liveness {
  switch (originOf(identity, system)) {
    case 'here':
      return livesHere(identity.pid, identity.start, system) ? 'yes' : 'no';
    case 'elsewhere':
      return 'unknown';
    default:
      return 'no';
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

/** Cheap and rough: whether anything, be it a zombie or a stranger, has that pid. */
export function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

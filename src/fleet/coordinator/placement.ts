import { OutliveError } from '../../errors/error.ts';
import type { Placement } from '../wire/assignment.ts';

/** What placement needs to know about a host. */
export interface HostLoad {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
  /** Attempts on it that are assigned, and not accepted. */
  readonly waiting: number;
  /** Attempts on it that are accepted, and have not ended. */
  readonly running: number;
  /** Why the host gets no new tasks; `null`: it may get them. */
  readonly closed:
    | 'cordoned'
    | 'lost'
    | 'of another version'
    | 'used by two agents'
    | 'sending invalid heartbeats'
    | 'writing too many invalid messages'
    | 'removed'
    | null;
}

/** The most tasks that may wait on one host. */
export const mostAssigned = 100;
/** The most open tasks in a fleet. */
export const mostOpen = 10_000;

/**
 * Chooses the host for a task: of those that match, the one with the least load per slot; `null`: none may take it now.
 */
export function place(placement: Placement, hosts: Iterable<HostLoad>): string | null {
  let best: HostLoad | null = null;
  for (const one of hosts) {
    if (one.closed !== null || one.waiting >= mostAssigned || !matches(placement, one)) continue;
    if (best === null || isLessLoaded(one, best)) best = one;
  }
  return best?.host ?? null;
}

/**
 * Why no host may take a task.
 * @returns `FLEET_HOST` if the fleet does not have the named host, else `FLEET_BUSY`.
 */
export function whyNot(placement: Placement, hosts: readonly HostLoad[]): OutliveError {
  const found = hosts.filter((one) => matches(placement, one));
  if (placement.host !== null && found.length === 0)
    return new OutliveError(
      'FLEET_HOST',
      `expected a host called ${placement.host}${Object.keys(placement.labels).length === 0 ? '' : ' with the requested labels'}; found none in the fleet. See: outlive fleet hosts`,
      { details: { host: placement.host } },
    );
  const states = found.map((one) => `that ${one.host} is ${one.closed ?? 'full'}`).slice(0, 5);
  return new OutliveError(
    'FLEET_BUSY',
    `expected a host that may take the task; found ${states.length === 0 ? 'none that matches' : states.join(', ')}. Wait, or add hosts. See: outlive fleet hosts`,
  );
}

function matches({ host, labels }: Placement, one: HostLoad): boolean {
  if (host !== null && host !== one.host) return false;
  return Object.entries(labels).every(([name, value]) =>
    value === null ? Object.hasOwn(one.labels, name) : one.labels[name] === value,
  );
}

function isLessLoaded(one: HostLoad, best: HostLoad): boolean {
  const [a, b] = [loadOf(one), loadOf(best)];
  return a === b ? one.host < best.host : a < b;
}

function loadOf({ waiting, running, slots }: HostLoad): number {
  return (waiting + running) / Math.max(slots, 0.001);
}

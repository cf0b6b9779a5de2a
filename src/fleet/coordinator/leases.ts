import type { Heartbeat } from '../wire/messages.ts';

/**
 * A host counts as lost after this many leases of silence. More than one, because its clock may be slower than ours.
 */
export const lossFactor = 1.3;
/** If more than this part of a lease passes between two looks, this process was stopped. */
const gapFactor = 0.7;
/** How many epochs of earlier agents are remembered for a host. */
const mostRetired = 16;
/**
 * The last heartbeat of an agent that has ended may come this part of a lease after the first one of the next agent.
 */
const lateFactor = 1 / 30;
/**
 * After the last sign of two agents, this many leases must pass before the coordinator believes that only one is left.
 */
const disputeFactor = 2;

/** What the heartbeats of a host have shown. Times are milliseconds of a monotonic clock. */
export interface HostSeen {
  readonly heartbeat: Heartbeat;
  readonly heardAt: number;
  /** Epochs of agents of this host that another agent has replaced. */
  readonly retired: readonly string[];
  /** When the current agent was first heard. */
  readonly since: number;
  /** When another agent of this host was last heard. */
  readonly othersAt: number;
  /** When two agents were last heard in turns: somebody has the credential of the host, or a copy of it runs. */
  readonly disputedAt: number;
}

/** What a heartbeat is. `late`: it is from an agent that has ended. `disputed`: two agents have the credential. */
export type Hearing = 'taken' | 'late' | 'disputed';

/** Knows from heartbeats which hosts are alive. Nothing is stored: after a start every host has time to report. */
export class Leases {
  readonly leaseMs: number;
  readonly #hosts = new Map<string, HostSeen>();
  /** Hosts that are alive but get no lease, and when each was last heard. */
  readonly #there = new Map<string, number>();
  /** Since when this coordinator can hear all hosts. */
  #listeningSince: number;
  #lookedAt: number;

  constructor(leaseMs: number, now: number) {
    this.leaseMs = leaseMs;
    this.#listeningSince = now;
    this.#lookedAt = now;
  }

  /** Takes a heartbeat. The agent may get a lease only if the result is `taken`. */
  hear(heartbeat: Heartbeat, now: number): Hearing {
    const { host, epoch, beat = 0 } = heartbeat;
    const seen = this.#hosts.get(host);
    if (seen === undefined) {
      const never = Number.NEGATIVE_INFINITY;
      this.#hosts.set(host, {
        ...{ heartbeat, heardAt: now, retired: [], since: now, othersAt: never, disputedAt: never },
      });
      return 'taken';
    }
    const last = seen.heartbeat;
    if (seen.retired.includes(epoch)) {
      const isLate = now - seen.since <= lateFactor * this.leaseMs;
      const disputedAt = isLate ? seen.disputedAt : now;
      this.#hosts.set(host, { ...seen, heardAt: now, othersAt: now, disputedAt });
      return isLate ? 'late' : 'disputed';
    }
    if (epoch !== last.epoch) {
      const retired = [...seen.retired, last.epoch].slice(-mostRetired);
      const heard = { heartbeat, heardAt: now, retired, since: now, othersAt: seen.heardAt };
      this.#hosts.set(host, { ...heard, disputedAt: seen.disputedAt });
    } else if (beat < (last.beat ?? 0))
      this.#hosts.set(host, { ...seen, heardAt: now, othersAt: now, disputedAt: now });
    else this.#hosts.set(host, { ...seen, heartbeat, heardAt: now });
    return this.#isDisputed(host, now) ? 'disputed' : 'taken';
  }

  /** Notes that a host is alive but gets no lease, so that it does not count as lost. */
  hearWithoutLease(host: string, now: number): void {
    this.#there.set(host, now);
  }

  /** How long no other agent of a host was heard, in milliseconds, as far as this coordinator can know. */
  soleMs(host: string, now: number): number {
    const othersAt = this.#hosts.get(host)?.othersAt ?? Number.NEGATIVE_INFINITY;
    return Math.max(0, Math.round(now - Math.max(othersAt, this.#listeningSince)));
  }

  /** No host could be heard until now: this has just started, was disconnected, or the stream has a new leader. */
  listenAnew(now: number): void {
    this.#listeningSince = now;
    this.#lookedAt = now;
  }

  /**
   * Returns whether this process was stopped since the last call, so that it could hear no host. Must be called often.
   */
  look(now: number): boolean {
    const wasStopped = now - this.#lookedAt > gapFactor * this.leaseMs;
    if (wasStopped) this.#listeningSince = now;
    this.#lookedAt = now;
    return wasStopped;
  }

  /** Whether a host has been silent for 1.3 leases in which it could have been heard. */
  isLost(host: string, now: number): boolean {
    const never = Number.NEGATIVE_INFINITY;
    const heardAt = Math.max(this.#hosts.get(host)?.heardAt ?? never, this.#there.get(host) ?? never);
    return now - Math.max(heardAt, this.#listeningSince) > lossFactor * this.leaseMs;
  }

  /** Whether a host was heard within one lease, so that it may start tasks. */
  isLive(host: string, now: number): boolean {
    const seen = this.#hosts.get(host);
    return seen !== undefined && now - seen.heardAt <= this.leaseMs;
  }

  get(host: string): HostSeen | undefined {
    return this.#hosts.get(host);
  }

  names(): Iterable<string> {
    return this.#hosts.keys();
  }

  forget(host: string): void {
    this.#hosts.delete(host);
    this.#there.delete(host);
  }

  #isDisputed(host: string, now: number): boolean {
    const { disputedAt } = this.#hosts.get(host) ?? { disputedAt: Number.NEGATIVE_INFINITY };
    return now - disputedAt <= disputeFactor * this.leaseMs;
  }
}

import type { Heartbeat } from '../wire/messages.ts';

/** After how much of a lease without a word a host is lost. More than one: its own clock may be slower than ours. */
export const lossFactor = 1.3;
/** Between two looks at the clock at most so much of a lease may pass; if more did, this process was stopped. */
const gapFactor = 0.7;
/** Epochs of earlier agents that are remembered for a host. */
const mostRetired = 16;
/** A last heartbeat of an agent that has ended may come so much of a lease after the first one of the next agent. */
const lateFactor = 1 / 30;
/**
 * After the last sign of two agents at a time, this many leases pass until the coordinator believes that one is alone.
 */
const disputeFactor = 2;

/** What is known of a host by its heartbeats. Times are milliseconds of a clock that does not go back. */
export interface HostSeen {
  readonly heartbeat: Heartbeat;
  readonly heardAt: number;
  /** Epochs of agents of this host that another one has taken the place of. */
  readonly retired: readonly string[];
  /** When the agent was heard first that was heard last. */
  readonly since: number;
  /** When another agent of this host was heard last. */
  readonly othersAt: number;
  /** When two agents were heard in turns the last time: somebody has the credential of the host, or a copy of it runs. */
  readonly disputedAt: number;
}

/** What a heartbeat is. `late`: of an agent that has ended. `disputed`: two agents have the credential. */
export type Hearing = 'taken' | 'late' | 'disputed';

/** Which hosts are there, by their heartbeats. It is not stored: after a start every host has time to report. */
export class Leases {
  readonly leaseMs: number;
  readonly #hosts = new Map<string, HostSeen>();
  /** Hosts that are there and get no lease, and when each was heard. */
  readonly #there = new Map<string, number>();
  /** Since when we can have heard everybody. */
  #listeningSince: number;
  #lookedAt: number;

  constructor(leaseMs: number, now: number) {
    this.leaseMs = leaseMs;
    this.#listeningSince = now;
    this.#lookedAt = now;
  }

  /** Takes a heartbeat. Only of one that is `taken` the agent may have a lease. */
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

  /** A host is there, and gets no lease: it is not lost. */
  hearWithoutLease(host: string, now: number): void {
    this.#there.set(host, now);
  }

  /** For how long no other agent of a host was heard, as far as this coordinator can know, in milliseconds. */
  soleMs(host: string, now: number): number {
    const othersAt = this.#hosts.get(host)?.othersAt ?? Number.NEGATIVE_INFINITY;
    return Math.max(0, Math.round(now - Math.max(othersAt, this.#listeningSince)));
  }

  /** Nobody could be heard until now: this coordinator has started, its connection was gone, or the stream has a new leader. */
  listenAnew(now: number): void {
    this.#listeningSince = now;
    this.#lookedAt = now;
  }

  /** To be called often. Whether this process was stopped since the last call; then nobody could be heard meanwhile. */
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

  /** Whether a host was heard within one lease: it may start things. */
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

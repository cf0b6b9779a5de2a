import type { Heartbeat } from '../wire/messages.ts';

/** After how much of a lease without a word a host is lost. More than one: its own clock may be slower than ours. */
const lossFactor = 1.3;
/** Between two looks at the clock at most so much of a lease may pass; if more did, this process was stopped. */
const gapFactor = 0.7;
/** Epochs of earlier agents that are remembered for a host. */
const mostRetired = 16;

/** What is known of a host by its heartbeats. Times are milliseconds of a clock that does not go back. */
export interface HostSeen {
  readonly heartbeat: Heartbeat;
  readonly heardAt: number;
  /** Epochs of agents of this host that another one has taken the place of. */
  readonly retired: readonly string[];
}

/** Who is there, by heartbeats. It is not stored: after a start everybody has the time to come forward. */
export class Leases {
  readonly leaseMs: number;
  readonly #hosts = new Map<string, HostSeen>();
  /** Since when we can have heard everybody. */
  #listeningSince: number;
  #lookedAt: number;

  constructor(leaseMs: number, now: number) {
    this.leaseMs = leaseMs;
    this.#listeningSince = now;
    this.#lookedAt = now;
  }

  /**
   * Takes a heartbeat.
   * @returns false for one of an agent that another with the same credential has taken the place of: it gets no lease.
   */
  hear(heartbeat: Heartbeat, now: number): boolean {
    const seen = this.#hosts.get(heartbeat.host);
    if (seen?.retired.includes(heartbeat.epoch)) return false;
    const isNew = seen !== undefined && seen.heartbeat.epoch !== heartbeat.epoch;
    const retired = isNew
      ? [...seen.retired, seen.heartbeat.epoch].slice(-mostRetired)
      : (seen?.retired ?? []);
    this.#hosts.set(heartbeat.host, { heartbeat, heardAt: now, retired });
    return true;
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
    const heardAt = this.#hosts.get(host)?.heardAt ?? Number.NEGATIVE_INFINITY;
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
  }
}

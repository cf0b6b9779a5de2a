import { bootMs, bootTickMs } from '../../platform/clock.ts';

/** After a pause of the process that is longer than this part of a lease, the agent compares everything again. */
const longestPausePart = 0.7;

/** How long a new agent waits for its first lease before the lease counts as expired, in milliseconds. */
const firstLeaseMs = 30_000;

/**
 * For how much of a lease no other agent may be heard. A running copy of this machine would have been heard by then.
 */
const solePart = 0.5;

/**
 * Until when this host may start tasks. The time counts from before the host asked, by a clock that also runs while the
 * machine sleeps. So an answer that comes late gives less time.
 */
export class HostLease {
  #until = Number.NEGATIVE_INFINITY;
  #leaseMs = 0;
  readonly #startedAt = bootMs();
  #tickedAt = bootMs();
  #isVerified = false;
  #doubts = 0;
  #isCordoned = false;
  #isSole = false;

  /**
   * Takes a lease that the coordinator has granted.
   * @param askedAt the value of `bootMs()` before the request.
   * @param soleMs how long the coordinator has heard no other agent of this host.
   */
  renew(askedAt: number, leaseMs: number, isCordoned: boolean, soleMs = Number.POSITIVE_INFINITY): void {
    this.#isSole = soleMs >= solePart * leaseMs;
    this.#until = Math.max(this.#until, askedAt + leaseMs);
    this.#leaseMs = leaseMs;
    this.#isCordoned = isCordoned;
  }

  /** Must be called at each beat. A long time since the last call means that the process or the machine was stopped. */
  tick(): void {
    if (this.#hasPaused()) this.distrust();
    this.#tickedAt = bootMs();
  }

  /** Lets nothing start until everything was compared with what the coordinator says. */
  distrust(): void {
    this.#isVerified = false;
    this.#doubts += 1;
  }

  /** How often {@link distrust} was called. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Everything was compared. @param doubts the number before the request: a later doubt remains. */
  trust(doubts: number): void {
    if (doubts === this.#doubts) this.#isVerified = true;
  }

  /** Whether everything was compared since the last pause. */
  get isVerified(): boolean {
    return this.#isVerified && !this.#hasPaused();
  }

  /** Whether the lease has not expired. */
  get isValid(): boolean {
    return bootMs() + bootTickMs < this.#until;
  }

  /** Whether no copy of this machine runs beside it, as far as the coordinator can know. */
  get isSole(): boolean {
    return this.#isSole && this.isValid;
  }

  /** Whether the lease has expired, or a new agent has not got one in time. */
  get hasRunOut(): boolean {
    return !this.isValid && (this.#leaseMs > 0 || bootMs() - this.#startedAt > firstLeaseMs);
  }

  /** Whether a task that was accepted may start now. */
  get mayStart(): boolean {
    return this.isVerified && this.isValid;
  }

  /** Whether another task may be accepted now. */
  get mayAccept(): boolean {
    return this.mayStart && !this.#isCordoned;
  }

  #hasPaused(): boolean {
    return this.#leaseMs > 0 && bootMs() - this.#tickedAt > longestPausePart * this.#leaseMs;
  }
}

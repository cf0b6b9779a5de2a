import { bootMs, bootTickMs } from '../../platform/clock.ts';

/** A pause of the process longer than this part of a lease makes it look at everything before it goes on. */
const longestPausePart = 0.7;

/** How long an agent that has just started waits for its first lease, in milliseconds, before it counts as run out. */
const firstLeaseMs = 30_000;

/** No other agent of this host was heard for that part of a lease: by then a copy of this machine that runs would have been. */
const solePart = 0.5;

/**
 * Until when this host may start tasks. It is counted from before the host asked, by the clock that goes on while the machine
 * sleeps: an answer that was long on its way gives less.
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
   * The coordinator has granted it.
   * @param askedAt of `bootMs()`, from before it was asked.
   * @param soleMs for how long no other agent of this host was heard.
   */
  renew(askedAt: number, leaseMs: number, isCordoned: boolean, soleMs = Number.POSITIVE_INFINITY): void {
    this.#isSole = soleMs >= solePart * leaseMs;
    this.#until = Math.max(this.#until, askedAt + leaseMs);
    this.#leaseMs = leaseMs;
    this.#isCordoned = isCordoned;
  }

  /** To be called at each beat: a long time since the last one means that the process, or the machine, was stopped. */
  tick(): void {
    if (this.#hasPaused()) this.distrust();
    this.#tickedAt = bootMs();
  }

  /** Nothing starts until everything was compared with what the coordinator says. */
  distrust(): void {
    this.#isVerified = false;
    this.#doubts += 1;
  }

  /** How often there was a doubt. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Everything was compared. @param doubts those there were before it was asked for: a later one stays. */
  trust(doubts: number): void {
    if (doubts === this.#doubts) this.#isVerified = true;
  }

  /** Whether everything was compared since the last pause. */
  get isVerified(): boolean {
    return this.#isVerified && !this.#hasPaused();
  }

  /** Whether it has not run out. */
  get isValid(): boolean {
    return bootMs() + bootTickMs < this.#until;
  }

  /** Whether the machine is no copy of one that runs beside it, as far as the coordinator can know. */
  get isSole(): boolean {
    return this.#isSole && this.isValid;
  }

  /** Whether there was one, or time enough to get one, and it is over. */
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

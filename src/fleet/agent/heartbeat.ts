import type { Msg } from '@nats-io/transport-node';
import { OutliveError } from '../../errors/error.ts';
import { bootMs } from '../../platform/clock.ts';
import { wireFields } from '../wire/fields.ts';
import type { AttemptName, Heartbeat, Lease, Numbered } from '../wire/messages.ts';
import { subjects, wireVersion } from '../wire/names.ts';
import { readLease } from '../wire/read-assignment.ts';
import { issuedAt, open, SeenNonces } from '../wire/signed.ts';
import { isClientError } from './host-connection.ts';
import type { Parts } from './parts.ts';
import { RunningTails } from './running-tails.ts';

/** How long an answer may take, in milliseconds. After that the next beat asks again. */
const answerMs = 1_500;

/** The most attempts in `holds`, and the most in `owes`. The coordinator refuses a heartbeat that names more. */
const mostNamed = 1_000;

/** What a host reports about itself. */
export interface HostFacts {
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Takes what the answers bring. */
interface Taker {
  /** The coordinator's clock minus this one's, in milliseconds. */
  readonly clock: (offsetMs: number) => void;
  /** When the servers created the coordinator's stream. */
  readonly era: (era: string) => void;
  readonly news: (lease: Lease) => void;
  readonly all: (lease: Lease, askedAt: number) => void;
  /** Called at each beat, before it asks. */
  readonly beat: () => void;
  /** Called when all of an answer is taken. */
  readonly done: () => void;
}

/** Asks the coordinator for the lease and for news. If everything must be compared, asks for the list instead. */
export class Heartbeats {
  readonly #parts: Parts;
  readonly #facts: HostFacts;
  readonly #issuers: ReadonlySet<string>;
  readonly #taker: Taker;
  readonly #everyMs: number;
  readonly #seen = new SeenNonces();
  readonly #tails: RunningTails;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #again = false;
  #beats = 0;

  constructor(
    parts: Parts,
    facts: HostFacts,
    { issuers, taker, everyMs }: { issuers: ReadonlySet<string>; taker: Taker; everyMs: number },
  ) {
    this.#parts = parts;
    this.#facts = facts;
    this.#issuers = issuers;
    this.#taker = taker;
    this.#everyMs = everyMs;
    this.#tails = new RunningTails(parts);
  }

  /** Begins with a first request at once. */
  start(): void {
    this.#timer = setInterval(() => this.beat(), this.#everyMs);
    this.beat();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Asks now. If an answer is pending, asks again after it. */
  beat(): void {
    this.#parts.lease.tick();
    this.#taker.beat();
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    this.#parts.inBackground('asking the coordinator', this.#askUntilNothingIsNew());
  }

  /**
   * Takes a new assignment without asking. It also asks if the host may not accept yet, or if an answer is on its way:
   * that answer may not have the offer, and the agent drops offers that an answer does not name.
   */
  takeOffer(offer: Numbered): void {
    const { attempts, host, lease } = this.#parts;
    if (offer.assignment.host !== host || offer.assignment.state !== 'assigned') return;
    lease.tick();
    attempts.offer(offer);
    if (this.#asking || !lease.mayAccept) this.beat();
    this.#taker.done();
  }

  async #askUntilNothingIsNew(): Promise<void> {
    try {
      do {
        this.#again = false;
        if (this.#parts.isOpen() && this.#parts.connection.isConnected) await this.#ask();
      } while (this.#again && this.#parts.isOpen());
    } finally {
      this.#asking = false;
    }
  }

  async #ask(): Promise<void> {
    const { lease, attempts, connection, host } = this.#parts;
    const isAll = !lease.isVerified;
    const subject = isAll ? subjects.list(host) : subjects.heartbeat(host);
    const { turn } = attempts;
    const { doubts } = lease;
    const askedAt = bootMs();
    let answer: Msg;
    try {
      answer = await connection.ask(subject, this.#say(), answerMs);
    } catch (error) {
      // Nobody answers: the next beat asks again.
      if (!isClientError(error)) throw error;
      return;
    }
    const granted = this.#understand(answer);
    if (granted === null) return;
    // Notice a pause of the process while the answer was on its way.
    lease.tick();
    lease.renew(askedAt, granted.leaseMs, granted.cordoned, granted.soleMs);
    if (granted.era !== undefined) this.#taker.era(granted.era);
    if (isAll) {
      this.#taker.all(granted, turn);
      lease.trust(doubts);
    } else this.#taker.news(granted);
    this.#taker.done();
  }

  #say(): Heartbeat {
    const { host, epoch, slots, attempts } = this.#parts;
    const era = this.#parts.era();
    const names = (all: readonly AttemptName[]): readonly AttemptName[] =>
      inTurns(all, this.#beats).map(({ task, attempt }) => ({ task, attempt }));
    const held = attempts.in('starting', 'running', 'over');
    const holds = names(held.filter(({ phase, isWon }) => phase !== 'starting' || isWon));
    const owes = names(attempts.in('told'));
    this.#beats += 1;
    const said = { v: wireVersion, host, epoch, slots, ...this.#facts, holds, owes, beat: this.#beats };
    const tails = this.#tails.take();
    return { ...said, ...(tails.length > 0 && { tails }), ...(era !== null && { era }) };
  }

  /** The lease in an answer; `null`: it gives none. */
  #understand(answer: Msg): Lease | null {
    const { host, epoch } = this.#parts;
    try {
      // Only this request had that inbox. So the answer is new, whatever the clock of the coordinator says.
      const now = issuedAt(answer.data);
      const expectation = { audience: `host:${host}`, subject: answer.subject, issuers: this.#issuers };
      const { body } = open(answer.data, { ...expectation, seen: this.#seen, now });
      this.#taker.clock(now - Date.now());
      refuseRefusal(body);
      const lease = readLease(body);
      if (lease.host !== host || lease.epoch !== epoch)
        throw new OutliveError(
          'FLEET_HOST',
          `expected a lease for this agent of ${host}; found one for another agent, which has the same credential. Remove the host, and let each machine join with its own name.`,
          { details: { host } },
        );
      return lease;
    } catch (error) {
      this.#parts.report('taking a lease', error);
      return null;
    }
  }
}

/** As many as one heartbeat names. The next heartbeat names the next ones, so that each has its turn. */
function inTurns<One>(all: readonly One[], turn: number): readonly One[] {
  if (all.length <= mostNamed) return all;
  const from = (turn * mostNamed) % all.length;
  return [...all.slice(from), ...all.slice(0, from)].slice(0, mostNamed);
}

/** Throws if the coordinator answers that it gives no lease. */
function refuseRefusal(body: unknown): void {
  const fields = wireFields(body, 'the answer to a heartbeat').versioned();
  if (!fields.has('code')) return;
  throw new OutliveError(
    'FLEET_REFUSED',
    `expected a lease; found that the coordinator gives none: ${fields.text('message', 4_096)}`,
  );
}

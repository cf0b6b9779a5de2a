import { OutliveError } from '../../errors/error.ts';
import { warn } from '../../errors/warnings.ts';
import { type ControlVerb, isHostName, subjects, wireVersion } from '../wire/names.ts';
import { type SigningKey, sign } from '../wire/signed.ts';
import { Audit } from './audit.ts';
import { HostBook, type HostRecord, newRecord } from './book.ts';
import { type Bus, isBusError } from './bus.ts';
import { type Decision, decide, type HostsView } from './decide.ts';
import { Floods, mostRefused } from './floods.ts';
import { currentOf } from './fold.ts';
import { Journal } from './journal.ts';
import { Leases } from './leases.ts';
import { Ledger } from './ledger.ts';
import { type HostLoad, place } from './placement.ts';
import { Tails } from './tails.ts';
import { Writer } from './writer.ts';

/** How long a host may take to answer an order, in milliseconds. */
const orderMs = 2000;
/** The most writes in progress at a time. The next look makes the others. */
const mostAtOnce = 200;

/** What an admin chose for a host when inviting it. */
export interface InvitedAs {
  readonly labels: Readonly<Record<string, string>>;
  /** `null`: as many as the host reports. */
  readonly slots: number | null;
}

/** Why a host gets no lease: a short state for placement, and a message for people. */
interface Refused {
  readonly closed: NonNullable<HostLoad['closed']>;
  readonly message: string;
}

export interface CoreOptions {
  readonly bus: Bus;
  readonly key: SigningKey;
  readonly leaseMs: number;
  readonly replicas: 1 | 3;
  readonly version: string;
  /** What the invitation of a host says; `null`: it is not known. */
  readonly invitedAs: (host: string) => InvitedAs | null;
}

/** What all parts of a coordinator share: its memory, and how to change the state of a task and to reach a host. */
export class Core implements AsyncDisposable {
  readonly bus: Bus;
  readonly key: SigningKey;
  readonly ledger = new Ledger();
  readonly leases: Leases;
  readonly book: HostBook;
  readonly journal: Journal;
  readonly audit: Audit;
  readonly tails = new Tails();
  readonly floods = new Floods((host) => this.#onFlood(host));
  /** Hosts that send heartbeats but get no lease, with the reason. */
  readonly refused = new Map<string, Refused>();
  /** Hosts that have written too many invalid messages, with the text for people. Kept until the host is forgotten. */
  readonly flooding = new Map<string, string>();
  /** The version of outlive here. */
  readonly version: string;
  /** Aborts when this coordinator stops. */
  readonly closing: AbortSignal;
  readonly #closing = new AbortController();
  readonly #writer: Writer;
  readonly #invitedAs: CoreOptions['invitedAs'];
  /** This coordinator is writing the state of these tasks. */
  readonly #busy = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  /** How many assignments are being written, by host. */
  readonly #reserved = new Map<string, number>();
  #reservedCount = 0;

  constructor({ bus, key, leaseMs, replicas, version, invitedAs }: CoreOptions) {
    this.bus = bus;
    this.version = version;
    this.#invitedAs = invitedAs;
    this.closing = this.#closing.signal;
    this.key = key;
    this.leases = new Leases(leaseMs, performance.now());
    this.book = new HostBook(bus);
    this.audit = new Audit(bus);
    this.#writer = new Writer({
      ...{ bus, key },
      era: () => (this.journal.isSure ? this.journal.era : null),
      onSilence: () => this.leases.listenAnew(performance.now()),
    });
    this.journal = new Journal({
      ...{ bus, ledger: this.ledger, publicKey: key.publicKey, replicas },
      onRefused: (host, invented, reason) => {
        this.audit.refused(host, reason);
        this.floods.refused(host, invented, performance.now());
      },
      skips: (host) => this.floods.skips(host, performance.now()),
      onEra: () => this.#onEra(),
    });
  }

  async start(): Promise<void> {
    await this.journal.start();
    await this.book.open();
    this.leases.listenAnew(performance.now());
  }

  /**
   * Writes a decision unless another writer was first, and offers a new task to its host.
   * @returns whether it wrote it.
   */
  async write(decision: Decision, client: string | null = null): Promise<boolean> {
    const stored = await this.#writer.write(decision);
    if (stored === null) {
      await this.journal.reach();
      return false;
    }
    this.ledger.take(stored);
    const { seq, assignment } = stored;
    const { host, task, attempt, state, reason } = assignment;
    // First, because the host waits for it.
    if (state === 'assigned') this.tellHost(host, 'offer', { offer: { seq, assignment } });
    const what = state === 'accepted' ? 'to be stopped' : state;
    this.audit.tell({ host, what, client, task, attempt, reason });
    return true;
  }

  /** Keeps room on a host for an assignment that is being written. */
  async reserving<Value>(host: string, write: () => Promise<Value>): Promise<Value> {
    this.#reserved.set(host, (this.#reserved.get(host) ?? 0) + 1);
    this.#reservedCount += 1;
    try {
      return await write();
    } finally {
      this.#reservedCount -= 1;
      const left = (this.#reserved.get(host) ?? 1) - 1;
      if (left === 0) this.#reserved.delete(host);
      else this.#reserved.set(host, left);
    }
  }

  /** How many tasks wait or run in the fleet, or are being assigned. */
  get openCount(): number {
    return this.ledger.openCount + this.#reservedCount;
  }

  /** All known hosts, with what they last reported about themselves. */
  *hosts(): Generator<HostRecord> {
    for (const record of this.book.all()) if (this.leases.get(record.host) === undefined) yield record;
    for (const host of this.leases.names()) {
      const said = this.leases.get(host)?.heartbeat ?? newRecord(host);
      const { labels, slots } = this.#invitedAs(host) ?? said;
      const { version, epoch } = said;
      yield {
        ...(this.book.get(host) ?? newRecord(host)),
        labels,
        slots: slots ?? said.slots,
        version,
        epoch,
      };
    }
  }

  /**
   * The load of each host, for placement. It is made for each task and up to a thousand hosts, so it copies no records.
   * The labels and slots that a host reports count only without an invitation: a stolen credential could attract tasks
   * with them.
   * @param only the name of one host; `null`: all hosts.
   */
  loads(only: string | null): HostLoad[] {
    const now = performance.now();
    const loads: HostLoad[] = [];
    for (const host of only === null ? this.leases.names() : [only]) {
      const heartbeat = this.leases.get(host)?.heartbeat;
      const record = heartbeat === undefined ? this.book.get(host) : heartbeat;
      if (record === undefined) continue;
      const { waiting, running } = this.ledger.loadOf(host);
      const { labels, slots } = this.#invitedAs(host) ?? record;
      const reserved = this.#reserved.get(host) ?? 0;
      loads.push({
        host,
        labels,
        slots: slots ?? record.slots,
        running,
        waiting: waiting + reserved,
        closed: this.#whyClosed(host, now),
      });
    }
    return loads;
  }

  #whyClosed(host: string, now: number): HostLoad['closed'] {
    const record = this.book.get(host);
    if (record?.removed === true) return 'removed';
    if (this.flooding.has(host)) return 'writing too many invalid messages';
    const refused = this.refused.get(host);
    if (refused !== undefined) return refused.closed;
    if (!this.leases.isLive(host, now)) return 'lost';
    return record?.cordoned === true || record?.draining === true ? 'cordoned' : null;
  }

  /** Looks at all open tasks, and writes what follows from lost hosts and from times that have passed. */
  look(): void {
    const now = performance.now();
    if (this.leases.look(now) || !this.journal.isSure) return;
    const hosts: HostsView = {
      isLost: (host) => this.leases.isLost(host, now),
      // A host without a lease starts nothing either.
      isDraining: (host) =>
        this.book.get(host)?.draining === true || this.refused.has(host) || this.flooding.has(host),
      place: ({ placement }) => place(placement, this.loads(placement.host)),
    };
    for (const entry of this.ledger.open()) {
      if (this.#busy.size >= mostAtOnce) return;
      if (this.#busy.has(entry.task)) continue;
      const decision = decide(entry, currentOf(entry), hosts, Date.now());
      if (decision === null) continue;
      const work = this.#carryOut(decision).finally(() => this.#underWay.delete(work));
      this.#underWay.add(work);
    }
  }

  /** Sends an order to a host, without waiting for an answer. The host misses it while it is away. */
  tellHost(host: string, verb: ControlVerb, body: object): void {
    if (this.bus.connection.isClosed()) return;
    this.bus.connection.publish(subjects.control(host, verb), this.#order(host, verb, body, null));
  }

  /**
   * Sends an order to a host and waits for its answer.
   * @param withinMs 2,000 by default.
   * @throws OutliveError `HOST_UNREACHABLE` when the host does not answer. It may still have received the order.
   */
  async orderHost(host: string, verb: ControlVerb, body: object, withinMs = orderMs): Promise<unknown> {
    const { connection, newInbox } = this.bus;
    const reply = newInbox();
    try {
      const bytes = this.#order(host, verb, body, reply);
      const options = { timeout: withinMs, noMux: true, reply };
      return (await connection.request(subjects.control(host, verb), bytes, options)).json();
    } catch (cause) {
      if (!isBusError(cause) && !(cause instanceof SyntaxError)) throw cause;
      throw unreachable(host, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#underWay);
    await this.journal[Symbol.asyncDispose]();
    await this.book[Symbol.asyncDispose]();
  }

  /** The signed body has the subject for the answer. A host checks that the message names the same subject. */
  #order(host: string, verb: ControlVerb, body: object, reply: string | null): Uint8Array {
    const to = { audience: `host:${host}`, subject: subjects.control(host, verb) };
    return sign({ v: wireVersion, ...body, reply }, this.key, to);
  }

  async #carryOut(decision: Decision): Promise<void> {
    const { task, host } = decision.assignment;
    this.#busy.add(task);
    try {
      const isNew = decision.assignment.state === 'assigned';
      await (isNew ? this.reserving(host, () => this.write(decision)) : this.write(decision));
    } catch (error) {
      if (!(error instanceof OutliveError)) throw error;
      // The next look decides again, by what the stream then has.
      if (!this.bus.connection.isClosed())
        warn({ doing: 'writing the state of a task', error, taskId: task });
    } finally {
      this.#busy.delete(task);
    }
  }

  /** The host gets no tasks until an admin has checked it. */
  #onFlood(host: string): void {
    if (!isHostName(host)) return;
    const message = `expected ${host} to write at most ${mostRefused} invalid messages in a minute; found more. The coordinator no longer reads what it says about unknown tasks, and gives it no tasks. Check that machine, and remove it if its credential may be stolen: outlive fleet remove ${host}`;
    this.flooding.set(host, message);
    this.audit.tell({ host, what: 'flood', reason: message });
    warn({ doing: 'reading what a host writes', error: new OutliveError('FLEET_BUSY', message) });
  }

  #onEra(): void {
    this.leases.listenAnew(performance.now());
    this.book.open().catch((error: unknown) => {
      if (!isBusError(error)) throw error;
      warn({ doing: 'creating the bucket of hosts again', error });
    });
  }
}

/** The error for a host that does not answer. */
export function unreachable(host: string, cause?: unknown): OutliveError {
  return new OutliveError(
    'HOST_UNREACHABLE',
    `expected the host ${host} to answer; found that it does not. Its tasks continue; look at the list of hosts, and ask again when it is back.`,
    { details: { host }, cause },
  );
}

import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Role } from '../wire/membership.ts';
import { coordinators, type Operation, subjects, wireVersion } from '../wire/names.ts';
import type { SigningKey } from '../wire/signed.ts';
import { busOf } from './bus.ts';
import { Core, type InvitedAs } from './core.ts';
import { Heartbeats } from './heartbeats.ts';
import { forget, remove } from './hosts.ts';
import { type Handler, Operations } from './operations.ts';
import { sweep, sweepInvented } from './sweep.ts';

/** How many leases pass between two sweeps of old tasks. With the default lease that is a minute. */
const sweepEveryLeases = 2;
/** How many invented assignments one sweep removes. */
const mostInventedAtOnce = 1_000;

/** The options of {@link Coordinator.start}. */
export interface CoordinatorOptions {
  /** An open connection, with the rights of a coordinator. The caller closes it. */
  readonly connection: NatsConnection;
  /** The inbox prefix of the connection; `_INBOX` by default. */
  readonly inboxPrefix?: string;
  /** The signing key, which all coordinators of the fleet share. Hosts and clients know its public key. */
  readonly key: SigningKey;
  /** The role of the client with a public key; `null` if it is unknown, or the reply subject is not its own inbox. */
  readonly roleOf: (publicKey: string, reply: string) => Role | null | Promise<Role | null>;
  /**
   * The labels and slots of an invited host, which replace those that it reports; `null`: not known.
   * @default not known
   */
  readonly invitedAs?: (host: string) => InvitedAs | null;
  /** How long a host may start tasks after a heartbeat, in milliseconds; 30,000 by default. */
  readonly leaseMs?: number;
  /** The version of outlive here, for the error about a host with another protocol. */
  readonly version?: string;
  /** How many servers store the streams; 1 by default. */
  readonly replicas?: 1 | 3;
  /** Handlers of operations that are not about tasks and hosts. */
  readonly handlers?: Readonly<Partial<Record<Operation, Handler>>>;
}

/**
 * Assigns tasks to hosts, gives hosts leases, and answers clients. Several coordinators may run at the same time. Each
 * of them reads the whole stream of assignments, and conditional writes to that stream decide which of them wins.
 */
export class Coordinator implements AsyncDisposable {
  readonly #core: Core;
  readonly #subscriptions: Subscription[] = [];
  readonly #connection: NatsConnection;
  #timer: NodeJS.Timeout | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;

  private constructor(core: Core, connection: NatsConnection) {
    this.#core = core;
    this.#connection = connection;
  }

  /**
   * Starts a coordinator. Resolves when it has read everything that is stored, and answers requests.
   * @throws OutliveError `FLEET_PACKAGES`, `FLEET_UNREACHABLE`.
   */
  static async start(options: CoordinatorOptions): Promise<Coordinator> {
    const { connection, key, roleOf, leaseMs = 30_000, replicas = 1, handlers = {} } = options;
    const { invitedAs = () => null, version = '' } = options;
    const bus = await busOf(connection, options.inboxPrefix);
    const core = new Core({ bus, key, leaseMs, replicas, version, invitedAs });
    const coordinator = new Coordinator(core, connection);
    try {
      await core.start();
    } catch (error) {
      await core[Symbol.asyncDispose]();
      throw error;
    }
    coordinator.#listen(new Operations(core, roleOf, handlers));
    // After this the servers know the subscriptions, so the next request is answered.
    await connection.flush();
    return coordinator;
  }

  /**
   * Gives a removed host no more leases, and moves tasks that have not started there to other hosts, or revokes them.
   */
  async removeHost(host: string, client: string): Promise<void> {
    // A host that was never heard has no tasks to move.
    if (this.#core.book.get(host) === undefined && this.#core.leases.get(host) === undefined) return;
    await remove(this.#core, { v: wireVersion, host, on: true }, client);
  }

  /** Gives up a lost host: see `op.forget`. @throws OutliveError `FLEET_HOST`. */
  async forgetHost(host: string, client: string): Promise<void> {
    await forget(this.#core, { v: wireVersion, host, on: true }, client);
  }

  /** Stops answering, and waits for work in progress. The connection stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#sweepTimer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    await this.#core[Symbol.asyncDispose]();
  }

  #listen(operations: Operations): void {
    const { leases } = this.#core;
    const heartbeats = new Heartbeats(this.#core);
    // Every coordinator hears every host, and one of them answers.
    for (const subject of ['hb.*', 'list.*']) {
      this.#subscribe(subject, null, (message) => heartbeats.hear(message));
      this.#subscribe(subject, coordinators, (message) => void heartbeats.answer(message));
    }
    for (const name of operations.names)
      this.#subscribe(subjects.operation(name), coordinators, (message) => void operations.answer(message));
    // While the leader changed, writes of hosts and of this coordinator were delayed.
    this.#subscribe('$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.*', null, () =>
      leases.listenAnew(performance.now()),
    );
    void this.#watchConnection();
    this.#timer = setInterval(() => this.#core.look(), Math.min(1000, leases.leaseMs / 20));
    this.#sweepTimer = setInterval(() => this.#sweep(), sweepEveryLeases * leases.leaseMs);
  }

  #sweep(): void {
    const { bus, ledger, tails, floods } = this.#core;
    tails.keep((task) => ledger.isOpen(task));
    void sweep(bus, ledger, Date.now());
    void sweepInvented(bus, ledger, floods.takeInvented(mostInventedAtOnce));
  }

  #subscribe(subject: string, queue: string | null, take: (message: Msg) => void): void {
    const callback = (error: Error | null, message: Msg): void => {
      if (error === null) take(message);
    };
    this.#subscriptions.push(
      this.#connection.subscribe(subject, queue === null ? { callback } : { queue, callback }),
    );
  }

  async #watchConnection(): Promise<void> {
    const { leases, journal, closing } = this.#core;
    for await (const { type } of this.#connection.status()) {
      if (closing.aborted) return;
      if (type === 'disconnect') journal.doubt();
      if (type !== 'reconnect') continue;
      leases.listenAnew(performance.now());
      await journal.lookAtEra();
    }
  }
}

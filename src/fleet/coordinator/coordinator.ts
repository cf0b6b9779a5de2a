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

/** It searches for old tasks once in this many leases: once a minute. */
const sweepEveryLeases = 2;
/** How many assignments that hosts have invented it removes then. */
const mostInventedAtOnce = 1_000;

/** How a coordinator is started. */
export interface CoordinatorOptions {
  /** An open connection, with the rights of a coordinator. It stays the caller's, who closes it. */
  readonly connection: NatsConnection;
  /** That of the connection; `_INBOX` by default. */
  readonly inboxPrefix?: string;
  /** The key that all coordinators of the fleet have, and that hosts and clients know. */
  readonly key: SigningKey;
  /** The role of a client, by its public key; `null` for one that is not known, or is not the one that is answered there. */
  readonly roleOf: (publicKey: string, reply: string) => Role | null | Promise<Role | null>;
  /** The labels and slots of a host, in place of what it says of itself; `null`: not known. @default what it says */
  readonly invitedAs?: (host: string) => InvitedAs | null;
  /** For how long a host may start things after a heartbeat, in milliseconds; 30,000 by default. */
  readonly leaseMs?: number;
  /** The version of outlive, for hosts that have another one. */
  readonly version?: string;
  /** On how many servers the streams are; 1 by default. */
  readonly replicas?: 1 | 3;
  /** Handlers of operations that are not those of tasks and hosts. */
  readonly handlers?: Readonly<Partial<Record<Operation, Handler>>>;
}

/**
 * Assigns tasks to hosts, gives them leases, and answers clients. Any number of coordinators may run at once:
 * conditional writes into one stream decide what they do, and each of them has read all of that stream.
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
   * Starts one. It answers when it has read all that is stored.
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
    // From here on the servers know of it: who asks next is answered.
    await connection.flush();
    return coordinator;
  }

  /** Gives a removed host no more leases, and moves tasks that have not started there to other hosts, or ends them. */
  async removeHost(host: string, client: string): Promise<void> {
    // One that has never been heard has nothing to be taken elsewhere.
    if (this.#core.book.get(host) === undefined && this.#core.leases.get(host) === undefined) return;
    await remove(this.#core, { v: wireVersion, host, on: true }, client);
  }

  /** Gives up a host that is lost: see `op.forget`. @throws OutliveError `FLEET_HOST`. */
  async forgetHost(host: string, client: string): Promise<void> {
    await forget(this.#core, { v: wireVersion, host, on: true }, client);
  }

  /** Stops answering, and waits for what is under way. The connection stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#sweepTimer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    await this.#core[Symbol.asyncDispose]();
  }

  #listen(operations: Operations): void {
    const { leases } = this.#core;
    const heartbeats = new Heartbeats(this.#core);
    // Each coordinator hears every host; one of them answers.
    for (const subject of ['hb.*', 'list.*']) {
      this.#subscribe(subject, null, (message) => heartbeats.hear(message));
      this.#subscribe(subject, coordinators, (message) => void heartbeats.answer(message));
    }
    for (const name of operations.names)
      this.#subscribe(subjects.operation(name), coordinators, (message) => void operations.answer(message));
    // After the change of a leader, writes of hosts and ours were held up.
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

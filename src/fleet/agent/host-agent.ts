import { lstatSync, mkdirSync } from 'node:fs';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Store } from '../../api/store.ts';
import { OutliveError, shown } from '../../errors/error.ts';
import { isForeseen } from '../../errors/expected.ts';
import { warn } from '../../errors/warnings.ts';
import { currentSystem } from '../../platform/current.ts';
import type { System } from '../../platform/system.ts';
import { randomHex } from '../../util/crypto.ts';
import { after, type Timer } from '../../util/wait.ts';
import type { Control } from '../wire/control.ts';
import { isHostName } from '../wire/names.ts';
import { AgentLock } from './agent-lock.ts';
import { Attempts } from './attempts.ts';
import { Comparison } from './compare.ts';
import { Controls } from './controls.ts';
import { Ends } from './ends.ts';
import { Heartbeats } from './heartbeat.ts';
import { HostConnection } from './host-connection.ts';
import { HostLease } from './lease.ts';
import { LocalTasks } from './local-tasks.ts';
import { OutputFollows } from './output-follows.ts';
import type { Parts } from './parts.ts';
import { Records } from './records.ts';
import { restore } from './restore.ts';
import { Running } from './running.ts';
import { Starter } from './starter.ts';
import { TaskControls } from './task-controls.ts';
import { Views } from './views.ts';

/** The options of {@link HostAgent.start}. */
export interface HostAgentOptions {
  /** A connection with the credential of this host and the inbox prefix `_INBOX.<host>`. The caller closes it. */
  readonly connection: NatsConnection;
  /** The public keys of the coordinator. */
  readonly coordinators: ReadonlySet<string>;
  readonly host: string;
  /** The host's store. The caller closes it. */
  readonly store: Store;
  /** The agent's own folder, which is created with mode 0700. It must last as long as the store. */
  readonly dir: string;
  /** The version of outlive. */
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How many tasks of the fleet may run at a time. */
  readonly slots: number;
  /** The path of the secrets file. @default none */
  readonly secrets?: string;
  /** What happens to running tasks when the lease expires: they continue, or the agent stops them. @default 'keep' */
  readonly fence?: 'keep' | 'stop';
  /** The time between two heartbeats, in milliseconds. @default 5000 */
  readonly heartbeatMs?: number;
}

/** The shortest time between a doubt and the comparison that follows, in milliseconds. */
const compareEveryMs = 100;

/**
 * Runs the tasks that a fleet assigns to a host, in the host's own store. Tasks outlive the agent: the next agent on
 * the same store adopts them.
 */
export class HostAgent implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #lock: AgentLock;
  readonly #heartbeats: Heartbeats;
  readonly #running: Running;
  readonly #starter: Starter;
  readonly #comparison: Comparison;
  readonly #ends: Ends;
  readonly #follows: OutputFollows;
  readonly #views: Views;
  readonly #tasks: TaskControls;
  readonly #fence: 'keep' | 'stop';
  readonly #work = new Set<Promise<void>>();
  readonly #stopControls: () => void;
  #compare: Timer | undefined;
  #isOpen = true;
  #era: string | null = null;

  private constructor(
    options: HostAgentOptions,
    lock: AgentLock,
    connection: HostConnection,
    instance: string,
  ) {
    const { host, slots, version, labels, coordinators: issuers, heartbeatMs = 5_000 } = options;
    this.#lock = lock;
    this.#fence = options.fence ?? 'keep';
    this.#parts = {
      host,
      slots,
      connection,
      epoch: randomHex(16),
      instance,
      era: () => this.#era,
      secrets: options.secrets ?? null,
      lease: new HostLease(),
      attempts: new Attempts(),
      records: new Records(options.dir, options.store.dir, instance),
      local: new LocalTasks(options.store),
      isOpen: () => this.#isOpen,
      isSole: () => lock.isHeld(),
      compareSoon: () => this.#compareSoon(),
      report: (doing, error) => {
        if (!isForeseen(error)) throw error;
        warn({ doing, error, dir: options.store.dir });
      },
      inBackground: (doing, work) => this.#inBackground(doing, work),
    };
    this.#running = new Running(this.#parts, { over: (attempt) => this.#over(attempt) });
    this.#ends = new Ends(this.#parts);
    this.#comparison = new Comparison(this.#parts, this.#running, this.#ends);
    this.#starter = new Starter(this.#parts, {
      started: (attempt) => this.#running.follow(attempt),
      failed: (attempt) => this.#ends.publish(attempt),
      dropped: (attempt) => this.#comparison.drop(attempt),
    });
    this.#follows = new OutputFollows(this.#parts);
    this.#views = new Views(this.#parts);
    this.#tasks = new TaskControls(this.#parts, this.#starter, this.#follows, this.#views);
    const controls = new Controls(this.#parts, issuers, (control) => this.#perform(control));
    this.#heartbeats = new Heartbeats(
      this.#parts,
      { version, labels },
      {
        issuers,
        everyMs: heartbeatMs,
        taker: {
          beat: () => this.#fenceWithoutLease(),
          clock: (offsetMs) => {
            this.#starter.clockOffsetMs = offsetMs;
            controls.clockOffsetMs = offsetMs;
          },
          era: (era) => this.#takeEra(era),
          news: (lease) => this.#comparison.takeNews(lease),
          all: (lease, askedAt) => this.#comparison.takeAll(lease, askedAt),
          done: () => {
            this.#comparison.own();
            this.#starter.look();
          },
        },
      },
    );
    this.#stopControls = controls.start();
  }

  /**
   * Starts an agent. It continues what earlier agents began, and asks for its lease.
   * @throws OutliveError `INVALID_ARGUMENT`, `UNSUPPORTED_PLATFORM`, `READ_FAILED`; `FLEET_HOST` if the folder is in
   * use.
   */
  static async start(options: HostAgentOptions): Promise<HostAgent> {
    check(options);
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    const system = await currentSystem();
    const lock = AgentLock.take(options.dir, system);
    try {
      let agent: HostAgent | undefined;
      const connection = await HostConnection.over(options.connection, {
        reconnected: () => {
          if (agent !== undefined) agent.#reconnected();
        },
        refused: (error) => warn({ doing: 'writing to the bus', error, dir: options.store.dir }),
      });
      agent = new HostAgent(options, lock, connection, instanceOf(options.dir, system));
      await restore(agent.#parts, agent.#running, agent.#ends);
      agent.#heartbeats.start();
      return agent;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** How many attempts the agent has in each phase. */
  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { phase } of this.#parts.attempts) counts[phase] = (counts[phase] ?? 0) + 1;
    return counts;
  }

  /** Whether the agent is connected to the bus. */
  get isConnected(): boolean {
    return this.#parts.connection.isConnected;
  }

  /** Whether this host may start tasks now, apart from a cordon. */
  get hasLease(): boolean {
    return this.#parts.lease.mayStart;
  }

  /** Ends the agent. Tasks continue, and pending ends stay pending. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#heartbeats.stop();
    this.#compare?.cancel();
    this.#stopControls();
    this.#follows.close();
    this.#views.close();
    await this.#parts.local.close();
    await Promise.allSettled([...this.#work]);
    this.#lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #perform(control: Control): Promise<object> {
    switch (control.verb) {
      case 'offer':
        this.#heartbeats.takeOffer(control.offer);
        return {};
      case 'acknowledge':
        return { acknowledged: this.#comparison.acknowledge(control) };
      case 'show':
      case 'read':
      case 'send':
      case 'screen':
      case 'resize':
      case 'view':
      case 'kill':
      case 'follow':
        return await this.#tasks.perform(control);
    }
  }

  /** If the options say so, stops running tasks when the lease has expired. */
  #fenceWithoutLease(): void {
    const { lease, attempts } = this.#parts;
    if (this.#fence === 'keep' || !lease.hasRunOut) return;
    for (const attempt of attempts.in('running')) this.#running.stop(attempt);
  }

  #over(attempt: Parameters<Ends['publish']>[0]): void {
    if (attempt.isFenced) this.#comparison.drop(attempt);
    else this.#ends.publish(attempt);
    // A slot is free for another attempt.
    this.#starter.look();
  }

  #reconnected(): void {
    this.#ends.publishAllAgain();
    this.#compareSoon();
  }

  /** Publishes all ends again if the stream is new, because it has none of them. */
  #takeEra(era: string): void {
    const before = this.#era;
    this.#era = era;
    if (before !== null && before !== era) this.#ends.publishAllAgain();
  }

  #compareSoon(): void {
    this.#parts.lease.distrust();
    if (!this.#isOpen) return;
    this.#compare?.cancel();
    this.#compare = after(compareEveryMs, () => this.#heartbeats.beat());
  }

  #inBackground(doing: string, work: Promise<unknown>): void {
    const told = work.then(
      () => undefined,
      (error: unknown) => warn({ doing, error, dir: this.#parts.local.store.dir }),
    );
    const tracked = told.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

/**
 * Names this boot and this folder. A copy of the machine has another boot, and a copy of the folder is another folder.
 */
function instanceOf(dir: string, system: System): string {
  return `${system.self().boot}.${lstatSync(dir).ino}`;
}

function check({ host, slots, heartbeatMs = 1 }: HostAgentOptions): void {
  if (process.platform === 'win32')
    throw new OutliveError(
      'UNSUPPORTED_PLATFORM',
      'expected Linux or macOS; found Windows, which cannot be a host of a fleet. Join from a machine with Linux.',
    );
  if (!isHostName(host))
    throw new OutliveError('INVALID_ARGUMENT', `expected the name of a host; found ${shown(host)}.`);
  for (const [name, value] of Object.entries({ slots, heartbeatMs }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new OutliveError(
        'INVALID_ARGUMENT',
        `expected ${name} to be a whole number from 1; found ${shown(value)}.`,
      );
}

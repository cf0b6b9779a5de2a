import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Coordinator } from '../../../src/fleet/coordinator/coordinator.ts';
import type { Role } from '../../../src/fleet/wire/membership.ts';
import { signingKey } from '../../../src/fleet/wire/signed.ts';
import { NatsServer } from '../nats.ts';
import { BusyHost, type BusyOptions } from './busy-host.ts';
import { FakeClient } from './client.ts';
import { CoordinatorProcess } from './coordinator-process.ts';
import { FakeHost, type FakeHostOptions } from './host.ts';

/** A fleet of a test's own: a server, and as many coordinators, hosts and clients as it asks for. All end with it. */
export class TestFleet implements AsyncDisposable {
  readonly #seed = randomBytes(32);
  readonly key = signingKey(this.#seed);
  readonly roles = new Map<string, Role>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'outlive-fleet-'));
  readonly #open: AsyncDisposable[] = [];
  server!: NatsServer;

  static async start(): Promise<TestFleet> {
    const fleet = new TestFleet();
    await fleet.startServer();
    return fleet;
  }

  /** Starts the server, on the port that it had before. */
  async startServer(): Promise<void> {
    const port = this.server === undefined ? {} : { port: this.server.port };
    this.server = await NatsServer.start({ folder: this.#folder, ...port });
  }

  /** Ends the server without a word, removes all that it has stored, and starts it on the same port. */
  async wipe(): Promise<void> {
    await this.server.kill();
    rmSync(join(this.#folder, 'jetstream'), { recursive: true, force: true });
    await this.startServer();
  }

  async connection(): Promise<NatsConnection> {
    const connection = await connect({
      servers: this.server.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      pingInterval: 2000,
    });
    this.#open.push({ [Symbol.asyncDispose]: async () => await connection.close() });
    return connection;
  }

  /** @param leaseMs 10 s by default, so that nobody is lost because a machine is slow. */
  async coordinator(leaseMs = 10_000): Promise<Coordinator> {
    const roleOf = (key: string): Role | null => this.roles.get(key) ?? null;
    const coordinator = await Coordinator.start({
      connection: await this.connection(),
      key: this.key,
      roleOf,
      leaseMs,
    });
    this.#open.push(coordinator);
    return coordinator;
  }

  /** A coordinator, a client of it, and a host that has its lease: what most tests begin with. */
  async begun(leaseMs?: number): Promise<{ readonly client: FakeClient; readonly host: FakeHost }> {
    await this.coordinator(leaseMs);
    const client = await this.client();
    const host = await this.host('h1');
    await host.lease();
    return { client, host };
  }

  /** A coordinator in a process of its own. It knows the clients that were made before. */
  async coordinatorProcess(leaseMs = 10_000): Promise<CoordinatorProcess> {
    const made = await CoordinatorProcess.start({
      ...{ url: this.server.url, seed: this.#seed.toString('base64url'), leaseMs },
      roles: Object.fromEntries(this.roles),
    });
    this.#open.push(made);
    return made;
  }

  /** A host that does by itself what a host does. */
  async busyHost(host: string, busy: BusyOptions, options: Partial<FakeHostOptions> = {}): Promise<BusyHost> {
    const made = new BusyHost(await this.host(host, options), busy);
    this.#open.push(made);
    return made;
  }

  async host(host: string, options: Partial<FakeHostOptions> = {}): Promise<FakeHost> {
    const made = await FakeHost.start({ url: this.server.url, host, issuer: this.key.publicKey, ...options });
    this.#open.push(made);
    return made;
  }

  /** @param role `null`: one that the coordinator does not know. */
  async client(role: Role | null = 'admin'): Promise<FakeClient> {
    const client = new FakeClient(await this.connection(), this.key.publicKey);
    if (role !== null) this.roles.set(client.key.publicKey, role);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#open.reverse()) await one[Symbol.asyncDispose]();
    await this.server.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

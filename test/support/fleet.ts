import './suppressed-error.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientCredentials,
  type CoordinatorCredentials,
  type HostCredentials,
  readCredentials,
  writeCredentials,
} from '../../src/fleet/admin/credentials.ts';
import { FleetFolder } from '../../src/fleet/admin/folder.ts';
import { initFleet, type MadeFleet } from '../../src/fleet/admin/init.ts';
import { type ClientLink, connectClient, invite } from '../../src/fleet/admin/invite.ts';
import { join as joinFleet } from '../../src/fleet/admin/join.ts';
import {
  type Membership,
  serveMemberOperations,
  serveMembership,
} from '../../src/fleet/admin/serve-membership.ts';
import { trustLines } from '../../src/fleet/admin/server-config.ts';
import { parseAddress } from '../../src/fleet/bus/address.ts';
import { type Bus, connectBus } from '../../src/fleet/bus/connect.ts';
import { Authority } from '../../src/fleet/bus/jwt.ts';
import { ensureStreams } from '../../src/fleet/bus/streams.ts';
import type { Invited } from '../../src/fleet/wire/membership.ts';
import { NatsServer } from './nats.ts';

const minuteMs = 60_000;

/** What a coordinator has open. */
interface Serving {
  readonly bus: Bus;
  readonly membership: Membership;
  readonly operations: AsyncDisposable;
}

/** A fleet of a test's own: a real server with the configuration of `fleet init`, and what a coordinator does about members. */
export class TestFleet implements AsyncDisposable {
  readonly base: string;
  readonly folder: FleetFolder;
  readonly made: MadeFleet;
  readonly #links: AsyncDisposable[] = [];
  #server: NatsServer;
  #serving: Serving | null = null;

  private constructor(base: string, folder: FleetFolder, made: MadeFleet, server: NatsServer) {
    this.base = base;
    this.folder = folder;
    this.made = made;
    this.#server = server;
  }

  /** @param scheme `tls://`: everything is encrypted, as it is off loopback. */
  static async start(scheme: '' | 'tls://' = ''): Promise<TestFleet> {
    const base = mkdtempSync(join(tmpdir(), 'outlive-fleet-'));
    const folder = FleetFolder.open(join(base, 'config', 'fleet'));
    const port = await freePort();
    const made = await initFleet(folder, {
      servers: [parseAddress(`${scheme}127.0.0.1:${port}`)],
      listenHost: '127.0.0.1',
      dataFolder: join(base, 'data'),
    });
    const server = await NatsServer.start({
      folder: join(base, 'nats'),
      config: trustLines(made.trust, join(base, 'data', 'accounts')),
      port,
    });
    const fleet = new TestFleet(base, folder, made, server);
    try {
      await fleet.serve();
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  get server(): NatsServer {
    return this.#server;
  }

  get credentials(): CoordinatorCredentials {
    return there(readCredentials.coordinator(this.folder));
  }

  get admin(): ClientCredentials {
    return there(readCredentials.client(this.folder));
  }

  /** What the coordinator has. */
  get coordinator(): Serving {
    return there(this.#serving);
  }

  /** Begins to serve members, as a coordinator does when it starts. */
  async serve(): Promise<void> {
    const has = this.credentials;
    const bus = await this.connect(has, null);
    await ensureStreams(bus.connection, 1);
    const membership = await serveMembership(bus, has, (revoked) =>
      writeCredentials.coordinator(this.folder, { ...this.credentials, revoked }),
    );
    const operations = await serveMemberOperations(bus, has, membership);
    this.#serving = { bus, membership, operations };
  }

  /** Ends what {@link serve} has begun. */
  async stopServing(): Promise<void> {
    await this.#serving?.operations[Symbol.asyncDispose]();
    await this.#serving?.membership[Symbol.asyncDispose]();
    await this.#serving?.bus[Symbol.asyncDispose]();
    this.#serving = null;
  }

  /** Kills the server, lets something happen to its data, and starts it again. */
  async restart(meanwhile: () => void = () => undefined): Promise<void> {
    await this.#server.kill();
    meanwhile();
    this.#server = await NatsServer.start({
      folder: join(this.base, 'nats'),
      config: trustLines(this.made.trust, join(this.base, 'data', 'accounts')),
      port: this.#server.port,
    });
  }

  /** A connection of a party, closed at the end. @param name of a host; `null`: of others. */
  async connect(
    has: HostCredentials | ClientCredentials | CoordinatorCredentials,
    name: string | null,
  ): Promise<Bus> {
    const authority = await Authority.load();
    const bus = await connectBus({
      servers: has.fleet.servers,
      ca: has.fleet.ca,
      name: name ?? authority.keyOf(has.seed).publicKey,
      seed: has.seed,
      token: () => has.token,
    });
    this.#links.push(bus);
    return bus;
  }

  /** A client that asks the coordinator, closed at the end. */
  async client(has: ClientCredentials = this.admin): Promise<ClientLink> {
    const link = await connectClient(has);
    this.#links.push(link);
    return link;
  }

  /** A line that invites. */
  async invite(invited: Invited = { kind: 'host', labels: {}, slots: null }): Promise<string> {
    return await invite(await this.client(), this.admin, invited, 10 * minuteMs);
  }

  /** A folder of another user of the fleet. */
  folderOf(name: string): FleetFolder {
    return FleetFolder.open(join(this.base, name, 'fleet'));
  }

  /** A host that has joined, with its connection. */
  async host(name: string): Promise<{ readonly has: HostCredentials; readonly bus: Bus }> {
    const folder = this.folderOf(name);
    await joinFleet(folder, await this.invite(), name);
    const has = there(readCredentials.host(folder));
    return { has, bus: await this.connect(has, name) };
  }

  /** What a host has that has joined by {@link host}. */
  hostCredentials(name: string): HostCredentials | null {
    return readCredentials.host(this.folderOf(name));
  }

  /** A client that has joined. */
  async joinedClient(name: string, role: 'viewer' | 'agent' | 'admin'): Promise<ClientCredentials> {
    const folder = this.folderOf(name);
    await joinFleet(folder, await this.invite({ kind: 'client', role }));
    return there(readCredentials.client(folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stopServing();
      for (const link of this.#links) await link[Symbol.asyncDispose]();
    } finally {
      await this.#server.kill();
      rmSync(this.base, { recursive: true, force: true });
    }
  }
}

/** A port of loopback that is free just now, and so is the one for other servers, 2000 above it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await taken(0);
    if (port <= 63_535 && (await taken(port + 2_000)) !== 0) return port;
  }
}

/** Takes a port and gives it back; 0: somebody has it. */
async function taken(port: number): Promise<number> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch {
    return 0;
  }
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error('expected what a test has made before; found nothing');
  return value;
}

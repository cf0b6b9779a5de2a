import '../suppressed-error.ts';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CoordinatorCredentials,
  readCredentials,
  writeCredentials,
} from '../../../src/fleet/admin/credentials.ts';
import { FleetFolder, fleetFiles } from '../../../src/fleet/admin/folder.ts';
import { initFleet } from '../../../src/fleet/admin/init.ts';
import { connectClient, invite } from '../../../src/fleet/admin/invite.ts';
import { join as joinFleet } from '../../../src/fleet/admin/join.ts';
import { type Address, parseAddress } from '../../../src/fleet/bus/address.ts';
import { type Bus, connectBus } from '../../../src/fleet/bus/connect.ts';
import { Authority } from '../../../src/fleet/bus/jwt.ts';
import type { Fleet } from '../../../src/fleet/client/fleet.ts';
import { openFleet } from '../../../src/fleet/client/index.ts';
import { freePort } from '../fleet.ts';
import { natsServer } from '../nats.ts';
import { World } from '../world.ts';
import { Part } from './part.ts';

/** What a coordinator or a host agent of its own process is told. */
export interface ServiceOptions {
  readonly kind: 'coordinator' | 'host';
  readonly folder: string;
  readonly storeDir: string;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly slots: number;
}

/** How a fleet of processes is made. */
export interface ProcessFleetOptions {
  readonly servers: 1 | 3;
  readonly coordinators: number;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

/** A host of the fleet: its home and store, and its agent. */
export interface ProcessHost {
  readonly name: string;
  readonly world: World;
  readonly folder: FleetFolder;
  readonly agent: Part;
}

/**
 * A fleet on loopback as its users have it, of real servers, coordinators, host agents and stores. Each is a process that can be
 * killed and stopped by itself.
 */
export class ProcessFleet implements AsyncDisposable {
  readonly base = mkdtempSync(join(tmpdir(), 'outlive-processes-'));
  readonly folder = FleetFolder.open(join(this.base, 'config', 'fleet'));
  readonly servers: Part[] = [];
  readonly coordinators: Part[] = [];
  readonly hosts: ProcessHost[] = [];
  readonly #options: ProcessFleetOptions;
  readonly #open: AsyncDisposable[] = [];

  private constructor(options: ProcessFleetOptions) {
    this.#options = options;
  }

  static async start(options: ProcessFleetOptions): Promise<ProcessFleet> {
    const fleet = new ProcessFleet(options);
    try {
      await fleet.#start();
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  get credentials(): CoordinatorCredentials {
    return there(readCredentials.coordinator(this.folder));
  }

  /** All programs. */
  get parts(): readonly Part[] {
    return [...this.servers, ...this.coordinators, ...this.hosts.map(({ agent }) => agent)];
  }

  /**
   * A machine joins as a host, and runs its agent.
   * @param servers where its agent connects to; by default to all of them.
   */
  async host(name: string, slots: number, servers?: readonly Address[]): Promise<ProcessHost> {
    const world = new World();
    const folder = FleetFolder.open(join(world.base, 'fleet'));
    await joinFleet(folder, await this.#invitation(slots), name);
    const has = there(readCredentials.host(folder));
    if (servers !== undefined) writeCredentials.host(folder, { ...has, fleet: { ...has.fleet, servers } });
    const agent = this.#service(
      name,
      { kind: 'host', folder: folder.path, storeDir: world.dir, slots },
      { HOME: world.base },
    );
    const host = { name, world, folder, agent };
    this.hosts.push(host);
    this.#open.push({
      async [Symbol.asyncDispose]() {
        await agent.kill();
        // What happens to the servers is reported there.
        world.takeWarnings();
        await world[Symbol.asyncDispose]();
      },
    });
    await agent.start();
    return host;
  }

  /** The admin's client. @param servers where it connects to; by default to all of them. */
  async client(servers?: readonly Address[]): Promise<Fleet> {
    let { folder } = this;
    if (servers !== undefined) {
      folder = FleetFolder.open(join(mkdtempSync(join(this.base, 'client-')), 'fleet'));
      const has = there(readCredentials.client(this.folder));
      writeCredentials.client(folder, { ...has, fleet: { ...has.fleet, servers } });
    }
    const client = await openFleet({ folder: folder.path });
    this.#open.push(client);
    return client;
  }

  /** A connection with the rights of a coordinator. */
  async bus(): Promise<Bus> {
    const { fleet, seed, token } = this.credentials;
    const name = (await Authority.load()).keyOf(seed).publicKey;
    const bus = await connectBus({ servers: fleet.servers, ca: fleet.ca, name, seed, token: () => token });
    this.#open.push(bus);
    return bus;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failed: unknown[] = [];
    for (const one of this.#open.reverse())
      try {
        await one[Symbol.asyncDispose]();
      } catch (error) {
        failed.push(error);
      }
    rmSync(this.base, { recursive: true, force: true });
    if (failed.length > 0) throw failed[0];
  }

  async #start(): Promise<void> {
    const ports: number[] = [];
    while (ports.length < this.#options.servers) {
      const port = await freePort();
      if (!ports.includes(port)) ports.push(port);
    }
    await initFleet(this.folder, {
      servers: ports.map((port) => parseAddress(`127.0.0.1:${port}`)),
      listenHost: '127.0.0.1',
      dataFolder: join(this.base, 'data'),
    });
    const configs = [fleetFiles.config, fleetFiles.config2, fleetFiles.config3];
    for (const [at] of ports.entries()) {
      const config = this.folder.pathOf(configs[at] ?? fleetFiles.config);
      const command = [natsServer() ?? '', '-c', config];
      this.servers.push(this.#part(`server-${at + 1}`, command, 'Server is ready'));
    }
    await Promise.all(this.servers.map(async (server) => await server.start()));
    for (let at = 1; at <= this.#options.coordinators; at += 1) {
      const options = { kind: 'coordinator', folder: this.folder.path, storeDir: '', slots: 0 } as const;
      const coordinator = this.#service(`coordinator-${at}`, options);
      this.coordinators.push(coordinator);
      this.#open.push(coordinator);
      await coordinator.start();
    }
  }

  #service(
    name: string,
    options: Omit<ServiceOptions, 'leaseMs' | 'heartbeatMs'>,
    env: NodeJS.ProcessEnv = {},
  ): Part {
    const { leaseMs, heartbeatMs } = this.#options;
    const path = fileURLToPath(new URL('./service-main.js', import.meta.url));
    const said = JSON.stringify({ ...options, leaseMs, heartbeatMs } satisfies ServiceOptions);
    const log = join(this.base, `${name}.log`);
    return new Part({
      ...{ name, log, ready: 'ready' },
      command: [process.execPath, '--enable-source-maps', path, said],
      env: { ...process.env, ...env },
    });
  }

  #part(name: string, command: readonly string[], ready: string): Part {
    mkdirSync(this.base, { recursive: true });
    const part = new Part({ name, command, ready, log: join(this.base, `${name}.log`) });
    this.#open.push(part);
    return part;
  }

  async #invitation(slots: number): Promise<string> {
    const admin = there(readCredentials.client(this.folder));
    await using link = await connectClient(admin);
    return await invite(link, admin, { kind: 'host', labels: {}, slots }, 10 * 60_000);
  }
}

/** The lines of a file; none where there is no such file. */
export function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error('expected what a test has made before; found nothing');
  return value;
}

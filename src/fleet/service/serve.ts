import { OutliveError } from '../../errors/error.ts';
import { sleep } from '../../util/wait.ts';
import { type CoordinatorCredentials, readCredentials, writeCredentials } from '../admin/credentials.ts';
import { type FleetFile, type FleetFolder, fleetFiles } from '../admin/folder.ts';
import { type Membership, serveMembership } from '../admin/serve-membership.ts';
import { type ServerProcess, startServer } from '../admin/server-process.ts';
import { addressText } from '../bus/address.ts';
import { type Bus, connectBus } from '../bus/connect.ts';
import { Authority } from '../bus/jwt.ts';
import { ensureStreams } from '../bus/streams.ts';
import { isBusError } from '../coordinator/bus.ts';
import { Coordinator } from '../coordinator/coordinator.ts';
import { readRequest } from '../wire/membership.ts';
import { inboxOf } from '../wire/names.ts';
import { readOfHost } from '../wire/read-operation.ts';
import { signingKey } from '../wire/signed.ts';
import { InvitedHosts } from './invited-hosts.ts';

/** The options of {@link FleetServer.start}. */
export interface ServeOptions {
  readonly folder: FleetFolder;
  /** The path of nats-server. @default the one in PATH */
  readonly nats?: string;
  /** Which of three servers runs on this machine, from 1. @default 1 */
  readonly number?: 1 | 2 | 3;
  /** The servers run elsewhere, so none is started here. @default false */
  readonly isElsewhere?: boolean;
  /**
   * How long a host may start tasks after a heartbeat, in milliseconds: the same in all coordinators.
   * @default 30,000
   */
  readonly leaseMs?: number;
  /** The version of outlive here, for the error about a host with another protocol. */
  readonly version: string;
}

const configs = { 1: fleetFiles.config, 2: fleetFiles.config2, 3: fleetFiles.config3 } as const;

/** How long three servers may take to choose a leader, in milliseconds. */
const readyMs = 60_000;
const pauseMs = 200;

/** A coordinator of a fleet, and the server beside it. */
export class FleetServer implements AsyncDisposable {
  readonly #parts: AsyncDisposable[];
  readonly #server: ServerProcess | null;
  /** Where members reach the fleet. */
  readonly addresses: readonly string[];

  private constructor(parts: AsyncDisposable[], server: ServerProcess | null, addresses: readonly string[]) {
    this.#parts = parts;
    this.#server = server;
    this.addresses = addresses;
  }

  /**
   * Starts a coordinator, and the server of this machine unless it runs already.
   * @throws OutliveError `FLEET_CREDENTIALS` if the folder has no fleet, `FLEET_PACKAGES`, `FLEET_UNREACHABLE`.
   */
  static async start(options: ServeOptions): Promise<FleetServer> {
    const { folder, nats, number = 1, isElsewhere = false } = options;
    const has = readCredentials.coordinator(folder);
    if (has === null)
      throw new OutliveError(
        'FLEET_CREDENTIALS',
        `expected a fleet in ${folder.path}; found none. Create one: outlive fleet init`,
        { details: { path: folder.path } },
      );
    const config: FleetFile = configs[number];
    const parts: AsyncDisposable[] = [];
    try {
      const server =
        isElsewhere || (await answers(has, number)) ? null : await startServer(folder, nats, config);
      if (server !== null) parts.push(server);
      const bus = await connect(isElsewhere ? has : ownFirst(has, number));
      parts.push(bus);
      await whenReady(async () => await ensureStreams(bus.connection, has.replicas));
      const keep = (revoked: CoordinatorCredentials['revoked']) =>
        writeCredentials.coordinator(folder, { ...has, revoked });
      const membership = await whenReady(async () => await serveMembership(bus, has, keep));
      parts.push(membership);
      const invited = await whenReady(async () => await InvitedHosts.read(membership.members));
      parts.push(invited);
      parts.push(await whenReady(async () => await startCoordinator(bus, has, membership, invited, options)));
      return new FleetServer(parts, server, has.fleet.servers.map(addressText));
    } catch (error) {
      await disposeAll(parts);
      throw error;
    }
  }

  /** The pid of the server that was started here; `null`: another one answered. */
  get serverPid(): number | null {
    return this.#server?.pid ?? null;
  }

  /**
   * Resolves with the last output of the server that was started here when it has ended. Never resolves without one.
   */
  async serverEnded(): Promise<string> {
    return await (this.#server?.ended ?? new Promise<never>(() => undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll(this.#parts);
  }
}

async function startCoordinator(
  bus: Bus,
  has: CoordinatorCredentials,
  { members, roster, operations }: Membership,
  invited: InvitedHosts,
  { leaseMs, version }: ServeOptions,
): Promise<Coordinator> {
  const coordinator: Coordinator = await Coordinator.start({
    connection: bus.connection,
    inboxPrefix: inboxOf((await Authority.load()).keyOf(has.seed).publicKey),
    key: signingKey(Buffer.from(has.signingSeed, 'base64url')),
    replicas: has.replicas,
    version,
    ...(leaseMs !== undefined && { leaseMs }),
    // Never answer on the inbox of another party: with our rights it would get what this sender asked for.
    roleOf: (signer, reply) => (roster.isAnsweredOn(signer, reply) ? roster.roleOf(signer) : null),
    invitedAs: (host) => invited.get(host),
    handlers: {
      invite: operations.invite,
      renew: operations.renew,
      remove: async (body, client) => {
        const done = await operations.remove(body, client);
        const { kind, member } = readRequest.remove(body);
        if (kind === 'host') await coordinator.removeHost(member, client);
        return done;
      },
      forget: async (body, client) => {
        const { host } = readOfHost(body);
        await coordinator.forgetHost(host, client);
        // From now on another machine may take the name.
        const found = await members.get('host', host);
        if (found !== null && found.record.removedAt !== null)
          await members.erase('host', host, found.revision);
        return null;
      },
    },
  });
  return coordinator;
}

/** Whether this machine's server runs already: an earlier coordinator left it, or somebody else runs it. */
async function answers(has: CoordinatorCredentials, number: 1 | 2 | 3): Promise<boolean> {
  const own = has.fleet.servers.slice(number - 1, number);
  try {
    await using _bus = await connect({ ...has, fleet: { ...has.fleet, servers: own } });
    return true;
  } catch (error) {
    if (error instanceof OutliveError && error.code === 'FLEET_UNREACHABLE') return false;
    throw error;
  }
}

/** Puts the server on this machine first, so that the coordinator stays connected when another machine is lost. */
function ownFirst(has: CoordinatorCredentials, number: 1 | 2 | 3): CoordinatorCredentials {
  const { servers } = has.fleet;
  const own = servers.slice(number - 1, number);
  return {
    ...has,
    fleet: { ...has.fleet, servers: [...own, ...servers.filter((one) => !own.includes(one))] },
  };
}

async function connect({ fleet, seed, token }: CoordinatorCredentials): Promise<Bus> {
  const name = (await Authority.load()).keyOf(seed).publicKey;
  const { servers, ca } = fleet;
  return await connectBus({ servers, inOrder: true, ca, name, seed, token: () => token });
}

/**
 * Repeats a step until the servers are ready for it: three servers first choose a leader for each stream.
 * @throws OutliveError `FLEET_UNREACHABLE` if they are not ready within a minute.
 */
async function whenReady<Value>(step: () => Promise<Value>): Promise<Value> {
  const endAt = performance.now() + readyMs;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (performance.now() > endAt) throw unready(error);
      await sleep(pauseMs);
    }
  }
}

/** Whether servers that are not ready yet give this error. */
function isPassing(error: unknown): error is Error {
  return error instanceof OutliveError ? error.code === 'FLEET_UNREACHABLE' : isBusError(error);
}

function unready(error: Error): OutliveError {
  if (error instanceof OutliveError) return error;
  return new OutliveError(
    'FLEET_UNREACHABLE',
    `expected the servers of the fleet to be ready within ${readyMs / 1_000} s; found ${error.message}. Of three servers, two must run.`,
    { cause: error },
  );
}

/** Disposes of the parts in the reverse order of their start. */
async function disposeAll(parts: readonly AsyncDisposable[]): Promise<void> {
  for (const part of [...parts].reverse()) await part[Symbol.asyncDispose]();
}

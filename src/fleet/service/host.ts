import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Store } from '../../api/store.ts';
import { OutliveError } from '../../errors/error.ts';
import { warn } from '../../errors/warnings.ts';
import { type HostCredentials, readCredentials } from '../admin/credentials.ts';
import type { FleetFolder } from '../admin/folder.ts';
import { renewHost } from '../admin/renew.ts';
import { HostAgent } from '../agent/host-agent.ts';
import { type Bus, connectBus, isTooSlow } from '../bus/connect.ts';
import { Authority } from '../bus/jwt.ts';

/** The options of {@link HostService.start}. */
export interface HostServiceOptions {
  readonly folder: FleetFolder;
  /** The host's store. The caller closes it. */
  readonly store: Store;
  /** The version of outlive. */
  readonly version: string;
  /** How many tasks of the fleet may run at a time. @default the number in the invitation, else one for each core */
  readonly slots?: number;
  /** What happens to running tasks when the lease expires: they continue, or the agent stops them. @default 'keep' */
  readonly fence?: 'keep' | 'stop';
  /** The time between two heartbeats, in milliseconds. @default 5,000 */
  readonly heartbeatMs?: number;
}

/** How often the host checks whether to renew its token, in milliseconds. */
const renewEveryMs = 3_600_000;

/** The agent of a host, and its connection. */
export class HostService implements AsyncDisposable {
  readonly host: string;
  /** Resolves when the servers no longer let this host in, with an error that says what to do. */
  readonly ended: Promise<OutliveError>;
  readonly #agent: HostAgent;
  readonly #bus: Bus;
  readonly #timer: NodeJS.Timeout;

  private constructor(host: string, folder: FleetFolder, agent: HostAgent, bus: Bus, timer: NodeJS.Timeout) {
    this.host = host;
    this.ended = refusedOn(bus.connection, folder, host);
    this.#agent = agent;
    this.#bus = bus;
    this.#timer = timer;
  }

  /**
   * Starts the agent of a host that has joined. It waits while the fleet is out of reach.
   * @throws OutliveError `FLEET_CREDENTIALS` if the machine has not joined, `FLEET_HOST` if another agent runs,
   * `FLEET_REFUSED` if the host was removed.
   */
  static async start({
    folder,
    store,
    version,
    slots,
    fence = 'keep',
    heartbeatMs,
  }: HostServiceOptions): Promise<HostService> {
    let has = credentialsIn(folder);
    const { name: host, fleet, seed } = has;
    const token = (): string => has.token;
    const { servers, ca } = fleet;
    const bus = await connectBus({ servers, ca, name: host, seed, token, patient: true }).catch(
      async (error: unknown) => {
        if (!(error instanceof OutliveError) || error.code !== 'FLEET_REFUSED') throw error;
        throw await refusedHost(folder, host, error);
      },
    );
    const renew = async (): Promise<void> => {
      try {
        has = await renewHost(folder, bus, has);
      } catch (error) {
        // Half of the token's lifetime is left, so there is time to try again.
        if (!(error instanceof OutliveError)) throw error;
        warn({ doing: 'renewing the token of this host', error });
      }
    };
    try {
      const agent = await HostAgent.start({
        connection: bus.connection,
        coordinators: new Set([fleet.coordinator]),
        host,
        store,
        dir: join(folder.path, 'agent'),
        version,
        labels: has.labels,
        slots: slots ?? has.slots ?? availableParallelism(),
        secrets: join(folder.path, 'secrets'),
        fence,
        ...(heartbeatMs !== undefined && { heartbeatMs }),
      });
      const timer = setInterval(() => void renew(), renewEveryMs);
      void renew();
      return new HostService(host, folder, agent, bus, timer);
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether the host may start tasks now. */
  get hasLease(): boolean {
    return this.#agent.hasLease;
  }

  /** Ends the agent, and closes the connection. Tasks continue. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#agent.close();
    await this.#bus[Symbol.asyncDispose]();
  }
}

function credentialsIn(folder: FleetFolder): HostCredentials {
  const has = readCredentials.host(folder);
  if (has !== null) return has;
  throw new OutliveError(
    'FLEET_CREDENTIALS',
    `expected a host of a fleet; found no credentials of one in ${folder.path}. Join with an invitation: outlive fleet join 'outlive+tls://...'`,
    { details: { path: folder.path } },
  );
}

/** Resolves when the connection closes by itself, because its token was refused twice. */
async function refusedOn(
  connection: NatsConnection,
  folder: FleetFolder,
  host: string,
): Promise<OutliveError> {
  const reason = await connection.closed();
  if (reason instanceof Error && isTooSlow(reason))
    return new OutliveError(
      'FLEET_UNREACHABLE',
      `expected a server of the fleet to let this host in; found that it was too busy (${reason.message}). Start the agent again: outlive fleet join`,
      { cause: reason },
    );
  if (reason instanceof Error) return await refusedHost(folder, host, reason);
  // This process has closed it.
  return await new Promise<never>(() => undefined);
}

/** The servers do not let the host in. Its own token shows why: it has expired, or the host was removed. */
async function refusedHost(folder: FleetFolder, host: string, cause: Error): Promise<OutliveError> {
  const { token } = credentialsIn(folder);
  const { expiresAt } = (await Authority.load()).read(token);
  const isOld = expiresAt !== null && expiresAt <= Date.now();
  return new OutliveError(
    'FLEET_REFUSED',
    isOld
      ? `expected a valid token of ${host}; found that it expired at ${dateOf(expiresAt)}: this machine was out of the fleet for too long. Ask an admin for an invitation (outlive fleet invite), and use it here: outlive fleet join 'outlive+tls://...'. The host keeps its name, its key and its tasks.`
      : `expected to be let in as the host ${host}; found that the servers refuse its key: an admin has removed it, or the clock of this machine is wrong. To let it come back, ask an admin to forget it (outlive fleet forget ${host}) and to invite it again (outlive fleet invite). Use the invitation here: outlive fleet join --name ${host} 'outlive+tls://...'`,
    { cause },
  );
}

function dateOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

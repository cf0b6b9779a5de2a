import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../api/store.ts';
import { OutliveError } from '../../errors/error.ts';
import { warn } from '../../errors/warnings.ts';
import { type HostCredentials, readCredentials } from '../admin/credentials.ts';
import type { FleetFolder } from '../admin/folder.ts';
import { renewHost } from '../admin/renew.ts';
import { HostAgent } from '../agent/host-agent.ts';
import { type Bus, connectBus } from '../bus/connect.ts';

/** How an enrolled host runs its agent. */
export interface HostServiceOptions {
  readonly folder: FleetFolder;
  /** It stays the caller's. */
  readonly store: Store;
  /** The version of outlive. */
  readonly version: string;
  /** Tasks of the fleet that may run at a time. @default one a core */
  readonly slots?: number;
  /** What becomes of running tasks when the lease has run out. @default 'keep' */
  readonly fence?: 'keep' | 'stop';
  /** Between two heartbeats, in milliseconds. @default 5,000 */
  readonly heartbeatMs?: number;
}

/** How often it is looked whether the token is half over, in milliseconds. */
const renewEveryMs = 3_600_000;

/** The agent of a host, and its connection. */
export class HostService implements AsyncDisposable {
  readonly host: string;
  readonly #agent: HostAgent;
  readonly #bus: Bus;
  readonly #timer: NodeJS.Timeout;

  private constructor(host: string, agent: HostAgent, bus: Bus, timer: NodeJS.Timeout) {
    this.host = host;
    this.#agent = agent;
    this.#bus = bus;
    this.#timer = timer;
  }

  /**
   * Starts the agent of an enrolled host. A fleet that is out of reach is waited for.
   * @throws OutliveError `FLEET_CREDENTIALS` for a machine that has not joined, `FLEET_HOST` where another agent runs,
   * `FLEET_REFUSED` for a host that was removed.
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
    const bus = await connectBus({
      servers: fleet.servers,
      ca: fleet.ca,
      name: host,
      seed,
      token,
      patient: true,
    });
    const renew = async (): Promise<void> => {
      try {
        has = await renewHost(folder, bus, has);
      } catch (error) {
        // There is half of its life left to try again.
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
      return new HostService(host, agent, bus, timer);
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether it may start tasks now. */
  get hasLease(): boolean {
    return this.#agent.hasLease;
  }

  /** Lets everything go: tasks run on. */
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

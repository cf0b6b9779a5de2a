import type { ClientSessions } from '../../tools/delivery/client-sessions.ts';
import { Connection } from '../../tools/delivery/connection.ts';
import { goOn } from '../../tools/delivery/report.ts';
import type { FleetSource } from '../../tools/fleet/agent-fleet.ts';
import { FleetLink } from '../../tools/fleet/fleet-link.ts';
import { RemoteDelivery } from '../../tools/fleet/remote-delivery.ts';

/** How many sessions are open at once; beyond that, it closes the idle one that was used longest ago. */
const mostPeers = 256;

interface Kept {
  readonly connection: Connection;
  readonly remote: RemoteDelivery | null;
  busy: number;
}

/** The clients of a server over HTTP: one for each session, since a request alone has no connection. */
export class HttpConnections {
  readonly #clientSessions: ClientSessions;
  readonly #link: FleetLink | null;
  readonly #connections = new Map<string, Kept>();

  /** @param fleet opens the fleet. @default none */
  constructor(clientSessions: ClientSessions, fleet?: FleetSource) {
    this.#clientSessions = clientSessions;
    this.#link = fleet === undefined ? null : new FleetLink(fleet);
  }

  /** The client of a session, in use until `release` is called. */
  take(session: string): Pick<Kept, 'connection' | 'remote'> & { release: () => void } {
    const kept = this.#connections.get(session) ?? {
      connection: new Connection(this.#clientSessions, 'http'),
      remote: this.#link === null ? null : new RemoteDelivery(this.#link, 'http'),
      busy: 0,
    };
    // Used last: it goes to the end.
    this.#connections.delete(session);
    this.#connections.set(session, kept);
    kept.busy += 1;
    this.#letGo();
    let released = false;
    const release = (): void => {
      if (!released) kept.busy -= 1;
      released = true;
    };
    return { connection: kept.connection, remote: kept.remote, release };
  }

  /** The server ends: others may tell what its clients have not read. */
  async close(): Promise<void> {
    const kept = [...this.#connections.values()];
    for (const { connection } of kept) connection.close();
    await Promise.all(kept.map(async ({ remote }) => await remote?.close()));
  }

  #letGo(): void {
    if (this.#connections.size <= mostPeers) return;
    for (const [session, { connection, remote, busy }] of this.#connections) {
      if (busy > 0) continue;
      this.#connections.delete(session);
      connection.close();
      if (remote !== null) goOn('leaving the fleet', remote.close());
      for (const clientSession of connection.clientSessions) this.#clientSessions.close(clientSession);
      return;
    }
  }
}

import type { ClientSessions } from '../../tools/delivery/client-sessions.ts';
import { Connection } from '../../tools/delivery/connection.ts';

/** So many sessions are open at once; then the one that was used longest ago, and is idle, is let go. */
const mostPeers = 256;

interface Kept {
  readonly connection: Connection;
  busy: number;
}

/** The clients of a server over HTTP: one for each session, since a request alone has no connection. */
export class HttpConnections {
  readonly #clientSessions: ClientSessions;
  readonly #connections = new Map<string, Kept>();

  constructor(clientSessions: ClientSessions) {
    this.#clientSessions = clientSessions;
  }

  /** The client of a session, in use until `release` is called. */
  take(session: string): { connection: Connection; release: () => void } {
    const kept = this.#connections.get(session) ?? {
      connection: new Connection(this.#clientSessions, 'http'),
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
    return { connection: kept.connection, release };
  }

  /** The server ends: others may tell what its clients have not read. */
  close(): void {
    for (const { connection } of this.#connections.values()) connection.close();
  }

  #letGo(): void {
    if (this.#connections.size <= mostPeers) return;
    for (const [session, { connection, busy }] of this.#connections) {
      if (busy > 0) continue;
      this.#connections.delete(session);
      connection.close();
      for (const clientSession of connection.clientSessions) this.#clientSessions.close(clientSession);
      return;
    }
  }
}

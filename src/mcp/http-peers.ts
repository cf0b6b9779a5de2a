import type { Desks } from './desks.ts';
import { Peer } from './peer.ts';

/** So many sessions are open at once; then the one that was used longest ago, and is idle, is let go. */
const mostPeers = 256;

interface Kept {
  readonly peer: Peer;
  busy: number;
}

/** The clients of a server over HTTP: one for each session, since a request alone has no connection. */
export class HttpPeers {
  readonly #desks: Desks;
  readonly #peers = new Map<string, Kept>();

  constructor(desks: Desks) {
    this.#desks = desks;
  }

  /** The client of a session, in use until `release` is called. */
  take(session: string): { peer: Peer; release: () => void } {
    const kept = this.#peers.get(session) ?? { peer: new Peer(this.#desks), busy: 0 };
    // Used last: it goes to the end.
    this.#peers.delete(session);
    this.#peers.set(session, kept);
    kept.busy += 1;
    this.#letGo();
    let released = false;
    const release = (): void => {
      if (!released) kept.busy -= 1;
      released = true;
    };
    return { peer: kept.peer, release };
  }

  #letGo(): void {
    if (this.#peers.size <= mostPeers) return;
    for (const [session, { peer, busy }] of this.#peers) {
      if (busy > 0) continue;
      this.#peers.delete(session);
      for (const desk of peer.desks) this.#desks.close(desk);
      return;
    }
  }
}

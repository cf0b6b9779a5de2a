import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { Desk } from './desk.ts';

/** The sessions that are open in this process, each opened when a client first needs it. */
export class Desks {
  readonly #store: Store;
  readonly #desks = new Map<Session, Desk>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Opens a session, or finds it open.
   * @throws OutliveError as `store.session` does.
   */
  async open(sessionId: string): Promise<Desk> {
    const session = await this.#store.session(sessionId);
    const desk = this.#desks.get(session) ?? new Desk(session);
    this.#desks.set(session, desk);
    return desk;
  }
}

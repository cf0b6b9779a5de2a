import type { Session } from '../api/session.ts';
import type { Store } from '../api/store.ts';
import { Desk } from './desk.ts';

/** The sessions that are open in this process, each opened when a client first needs it. */
export class Desks {
  readonly #store: Store;
  readonly #desks = new Map<Session, Desk>();
  /** Sessions that are being closed: they can be opened again when that is over. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Opens a session, or finds it open.
   * @throws OutliveError as `store.session` does.
   */
  async open(sessionId: string): Promise<Desk> {
    await this.#closing.get(sessionId);
    const session = await this.#store.session(sessionId);
    const desk = this.#desks.get(session) ?? new Desk(session);
    this.#desks.set(session, desk);
    return desk;
  }

  /** Closes a session that nobody uses; its tasks go on. */
  close({ session }: Desk): void {
    const over = (): void => {
      this.#closing.delete(session.id);
      this.#desks.delete(session);
    };
    this.#closing.set(session.id, session.close().then(over, over));
  }
}

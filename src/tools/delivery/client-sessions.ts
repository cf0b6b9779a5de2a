import type { Session } from '../../api/session.ts';
import type { Store } from '../../api/store.ts';
import { OutliveError } from '../../errors/error.ts';
import { ClientSession } from './client-session.ts';
import { report } from './report.ts';

/**
 * A store, or a function that opens it when it is first needed, so that the answer to `initialize` waits for no disk.
 */
export type StoreSource = Store | (() => Promise<Store>);

/** The sessions that are open in this process, each opened when a client first needs it. */
export class ClientSessions {
  readonly #source: StoreSource;
  #opening: Promise<Store> | undefined;
  readonly #clientSessions = new Map<Session, ClientSession>();
  /** Sessions that are being closed. Each can be opened again once it is closed. */
  readonly #closing = new Map<string, Promise<void>>();

  constructor(source: StoreSource) {
    this.#source = source;
  }

  /**
   * Opens a session, or returns the open one.
   * @throws OutliveError as `openStore` and `store.session` do.
   */
  async open(sessionId: string): Promise<ClientSession> {
    await this.#closing.get(sessionId);
    const store = await this.#store();
    const session = await store.session(sessionId);
    const clientSession = this.#clientSessions.get(session) ?? new ClientSession(session, store);
    this.#clientSessions.set(session, clientSession);
    await clientSession.ready;
    return clientSession;
  }

  /** If the store cannot be opened, the next call tries again. */
  async #store(): Promise<Store> {
    if (typeof this.#source !== 'function') return this.#source;
    this.#opening ??= this.#source().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return await this.#opening;
  }

  /** Opens the session that has a task; null if there is no such task. */
  async openWith(taskId: string): Promise<ClientSession | null> {
    const sessionId = sessionWith(await this.#store(), taskId);
    return sessionId === null ? null : await this.open(sessionId);
  }

  /** Closes a session that nobody uses; its tasks go on. */
  close({ session }: ClientSession): void {
    const over = (): void => {
      this.#closing.delete(session.id);
      this.#clientSessions.delete(session);
    };
    const closing = session.close().catch((error: unknown) => report('closing a session', error, session.id));
    this.#closing.set(session.id, closing.then(over));
  }
}

function sessionWith(store: Store, taskId: string): string | null {
  try {
    return store.task(taskId).snapshot().sessionId;
  } catch (error) {
    if (!(error instanceof OutliveError) || error.code !== 'TASK_NOT_FOUND') throw error;
    return null;
  }
}

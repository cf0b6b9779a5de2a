import { background } from '../engine/background.ts';
import { SessionContext, type SessionLimits, type StoreContext } from '../engine/context.ts';
import { isRetentionDue } from '../engine/retention-due.ts';
import { makeSessionFolders } from '../engine/session-folder.ts';
import { unwritable } from '../engine/spawn-errors.ts';
import { sweepStrays } from '../engine/sweep-strays.ts';
import { OutliveError, systemCode } from '../errors/error.ts';
import { programsFolder, type SessionPaths, sessionPaths } from '../tasklog/paths.ts';
import { holdSpare } from '../util/spare.ts';
import { monotonicMs } from '../util/wait.ts';
import { Session } from './session.ts';

/** How often a process that has sessions open looks whether the store is to be gone through. */
const retainEveryMs = 600_000;

/** Opens the sessions of a store, and sees to it that what is old in it goes. */
export class SessionOpener {
  readonly #store: StoreContext;
  #retention: NodeJS.Timeout | undefined;
  #boundAt = 0;
  readonly #letGoOfSpare = holdSpare();

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /**
   * Opens a session, made if it is new.
   * @throws OutliveError `STORE_UNWRITABLE`, `STORE_CORRUPT`, `READ_FAILED`.
   */
  async open(sessionId: string, limits: SessionLimits, onClose: () => void): Promise<Session> {
    const paths = sessionPaths(this.#store.dir, sessionId);
    // Not when the store is opened: who only looks at it removes nothing.
    for (const folder of [this.#store.dir, programsFolder(this.#store.dir)]) sweepStrays(folder);
    const isRecorded = this.#makeFolders(paths, sessionId);
    const context = new SessionContext(this.#store, sessionId, paths, limits);
    context.isRecorded = isRecorded;
    if (this.#store.windows !== null) context.enforcer = await this.#store.windows.enforcer(context);
    this.#store.orphans?.find();
    const session = await new Session(context, onClose).open();
    this.#retention ??= setInterval(() => this.#retain(), retainEveryMs).unref();
    this.#retain();
    return session;
  }

  /** Ends what is done for all sessions; they are closed already. */
  close(): void {
    clearInterval(this.#retention);
    this.#store.windows?.close();
    this.#store.doorbell?.close();
    this.#letGoOfSpare();
  }

  /** What is there can be read where nothing can be written, too: false; a spawn will say what is wrong. */
  #makeFolders(paths: SessionPaths, sessionId: string): boolean {
    try {
      makeSessionFolders(paths, sessionId);
      return true;
    } catch (error) {
      // (On a read-only disk a recursive mkdir says ENOENT.)
      if (['EROFS', 'EACCES', 'ENOSPC', 'EDQUOT', 'ENOENT'].includes(systemCode(error) ?? '')) return false;
      throw error instanceof OutliveError ? error : unwritable({ store: this.#store }, error);
    }
  }

  /** Removes what is old or too much, in the background, and not more often than needed. */
  #retain(): void {
    const isDue = isRetentionDue(this.#store.dir);
    if (!isDue && (this.#store.maxStoreBytes === null || monotonicMs() < this.#boundAt)) return;
    this.#boundAt = monotonicMs() + retainEveryMs / 2;
    background(import('../engine/retain.ts').then(({ retainStore }) => retainStore(this.#store, isDue)));
  }
}

import { existsSync } from 'node:fs';
import { background, guarded, type Place } from '../engine/session/background.ts';
import { SessionContext, type SessionLimits, type StoreContext } from '../engine/session/context.ts';
import { type Piece, pieceTakesMs, takePiece } from '../engine/store/retention-due.ts';
import { makeSessionFolders } from '../engine/store/session-folder.ts';
import { sweepStrays } from '../engine/store/sweep-strays.ts';
import { unwritable } from '../engine/store/unwritable.ts';
import { OutliveError, systemCode } from '../errors/error.ts';
import { programsFolder, sessionPaths } from '../tasklog/paths.ts';
import { holdSpare } from '../util/spare.ts';
import { after, type Timer } from '../util/wait.ts';
import { Session } from './session.ts';

/** Opens the sessions of a store, and sees to it that what is old in it goes. */
export class SessionOpener {
  readonly #store: StoreContext;
  readonly #place: Place;
  #retention: Timer | undefined;
  #closed = false;
  readonly #letGoOfSpare = holdSpare();

  constructor(store: StoreContext) {
    this.#store = store;
    this.#place = { store };
  }

  /**
   * Opens a session, made if it is new.
   * @throws OutliveError `STORE_UNWRITABLE`, `READ_FAILED`.
   */
  async open(sessionId: string, limits: SessionLimits, onClose: () => void): Promise<Session> {
    const paths = sessionPaths(this.#store.dir, sessionId);
    const context = new SessionContext(this.#store, sessionId, paths, limits);
    if (this.#store.keepsHouse) this.#tidy(context);
    if (this.#store.windows !== null) context.enforcer = await this.#store.windows.enforcer(context);
    this.#store.orphans?.find();
    const session = await new Session(context, onClose).open();
    if (this.#store.keepsHouse) this.#retain();
    return session;
  }

  /** Ends what is done for all sessions; they are closed already. */
  close(): void {
    this.#closed = true;
    this.#retention?.cancel();
    this.#store.windows?.close();
    this.#store.doorbell?.close();
    this.#store.forkServer?.close();
    this.#letGoOfSpare();
  }

  /**
   * Removes what crashed processes have left, and mends the record of a session that is there. A session without tasks
   * is made with its first one. What is there can be read where nothing can be written, too; a spawn says what is wrong.
   */
  #tidy(context: SessionContext): void {
    const { dir } = this.#store;
    for (const folder of [dir, programsFolder(dir)]) sweepStrays(folder);
    if (!existsSync(context.paths.dir)) return;
    try {
      makeSessionFolders(context.paths, context.sessionId);
    } catch (error) {
      context.isRecorded = false;
      if (['EROFS', 'EACCES', 'ENOSPC', 'EDQUOT', 'ENOENT'].includes(systemCode(error) ?? '')) return;
      throw error instanceof OutliveError ? error : unwritable({ store: this.#store }, error);
    }
  }

  /** Removes what is old or too much, piece by piece, in the background, and in one process of all that have the store open. */
  #retain(): void {
    const { piece, waitMs } = takePiece(this.#store.dir, this.#store.maxStoreBytes);
    if (piece === null) this.#retainAfter(waitMs);
    else background(this.#place, 'removing old tasks of the store', this.#goOn(piece));
  }

  async #goOn(piece: Piece): Promise<void> {
    let waitMs = pieceTakesMs;
    try {
      const { goOn } = await import('../engine/store/round.ts');
      waitMs = await goOn(this.#store, piece);
    } finally {
      this.#retainAfter(waitMs);
    }
  }

  #retainAfter(waitMs: number): void {
    this.#retention?.cancel();
    if (this.#closed) return;
    const retain = guarded(this.#place, 'removing old tasks of the store', () => this.#retain());
    this.#retention = after(waitMs, retain);
  }
}

import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { basename } from 'node:path';
import { guarded, type Place, report, unwatched } from '../session/background.ts';

/** The time of a folder may be so coarse that two changes have the same. */
const coarseMs = 2_000;

/** Whether the system tells what happens in a folder: everything, or only some, as over a network, or nothing. */
export type Events = 'all' | 'some' | 'none';

/** One folder, which may not be there yet: what happens in it is told by events, and its time tells the rest. */
export class FolderWatch {
  readonly #place: Place;
  readonly #path: string;
  readonly #happened: (name: string | null) => void;
  readonly #events: Events;
  #watcher: FSWatcher | undefined;
  #number: number | null = null;
  #time = 0;

  /** @param happened called with the name of a file in the folder; `null`: with the folder itself, or nobody knows with what. */
  constructor(
    place: Place,
    path: string,
    { events, happened }: { events: Events; happened: (name: string | null) => void },
  ) {
    this.#place = place;
    this.#path = path;
    this.#events = events;
    this.#happened = happened;
  }

  /** Whether it is there. */
  get isThere(): boolean {
    return this.#number !== null;
  }

  /** Whether events tell all that happens in it. */
  get isTold(): boolean {
    return this.#watcher !== undefined && this.#events === 'all';
  }

  /**
   * Checks the folder, and watches it from now on if it exists. Call it before you read its names.
   * @returns whether names in it may have come or gone since the last call; `new`: it is another folder, or was not watched.
   */
  look(): 'same' | 'changed' | 'new' {
    const stat = this.#stat();
    const number = stat?.ino ?? null;
    if (number !== this.#number) {
      this.#lose();
      this.#number = number;
      if (stat !== null) this.#arm();
      return 'new';
    }
    if (stat === null) return 'same';
    if (this.#watcher === undefined) this.#arm();
    const isChanged = stat.mtimeMs !== this.#time;
    this.#time = Math.abs(Date.now() - stat.mtimeMs) < coarseMs ? 0 : stat.mtimeMs;
    return isChanged ? 'changed' : 'same';
  }

  close(): void {
    this.#watcher?.close();
  }

  #stat(): Stats | null {
    try {
      return statSync(this.#path, { throwIfNoEntry: false }) ?? null;
    } catch (error) {
      report(this.#place, 'checking a folder', error);
      return null;
    }
  }

  #arm(): void {
    if (this.#events === 'none') return;
    try {
      const own = basename(this.#path);
      const happened = guarded(this.#place, 'handling a change', (name: string | null) => {
        // The folder itself was removed or moved. A new one where it was may have the same number.
        if (name === own) this.#lose();
        this.#happened(name === own ? null : name);
      });
      const watcher = watch(this.#path, { persistent: false }, (_event, name) => happened(name));
      watcher.on('error', () => this.#lose());
      this.#watcher = watcher;
    } catch (error) {
      // No watches left, or none on this system: it is compared each second.
      report(this.#place, 'watching a folder', error, { codes: unwatched });
    }
  }

  #lose(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#number = null;
    this.#time = 0;
  }
}

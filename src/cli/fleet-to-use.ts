import { closed } from '../errors/error.ts';
import { hasFleetClient } from '../fleet/admin/folder.ts';
import type { Fleet } from '../fleet/client/fleet.ts';

/** The fleet that this machine is a client of, for a server that offers it. It is opened, and its packages are loaded, when it is used. */
export class FleetToUse implements AsyncDisposable {
  readonly #opened: Promise<Fleet>[] = [];
  #isOver = false;

  /** Null: this machine is no client of a fleet. */
  static find(): FleetToUse | null {
    return hasFleetClient() ? new FleetToUse() : null;
  }

  /** Connects once more. @throws OutliveError as `openFleet`; `CLOSED` after it was closed. */
  async open(): Promise<Fleet> {
    if (this.#isOver) throw closed('fleet');
    const opening = import('../fleet/client/open-fleet.ts').then(async ({ openFleet }) => await openFleet());
    this.#opened.push(opening);
    return await opening;
  }

  /** Closes what was opened. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const opened = await Promise.allSettled(this.#opened);
    await Promise.all(opened.map(async (one) => one.status === 'fulfilled' && (await one.value.close())));
  }
}

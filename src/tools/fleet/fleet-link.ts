import type { AgentFleet, FleetSource } from './agent-fleet.ts';

/**
 * The connection of this process to the fleet. It is opened when a tool first needs it, and again when it has closed.
 */
export class FleetLink {
  readonly #source: FleetSource;
  #opening: Promise<AgentFleet> | null = null;

  constructor(source: FleetSource) {
    this.#source = source;
  }

  /**
   * The connected fleet. If it cannot be opened, the next call tries again.
   * @throws OutliveError as `openFleet`.
   */
  async fleet(): Promise<AgentFleet> {
    const opened = await this.#open();
    if (!opened.isClosed) return opened;
    this.#opening = null;
    return await this.#open();
  }

  #open(): Promise<AgentFleet> {
    this.#opening ??= this.#source().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }
}

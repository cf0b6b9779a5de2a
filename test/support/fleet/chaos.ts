import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '../../../src/fleet/bus/connect.ts';
import { streams } from '../../../src/fleet/wire/names.ts';
import type { Chance } from '../chance.ts';
import type { Part } from './part.ts';
import type { ProcessFleet } from './process-fleet.ts';

/** Between two faults of one kind, in milliseconds: chance takes a time between. */
interface Pace {
  readonly hosts: readonly [number, number];
  readonly coordinators: readonly [number, number];
  readonly servers: readonly [number, number];
}

/** A change of leader takes up to ten seconds, in which nothing is taken: there has to be time between two. */
const pace: Pace = { hosts: [3_000, 8_000], coordinators: [4_000, 10_000], servers: [15_000, 40_000] };

/** How long a part stays away: mostly less than a lease, and sometimes so long that a host is lost. */
const briefly = [100, 1_500] as const;
const serversAway = [500, 5_000] as const;

/** Kills and stops parts of a fleet at random, and brings each back after a while. */
export class Chaos {
  /** What was done, how often. */
  readonly done: Record<string, number> = {};
  readonly #fleet: ProcessFleet;
  readonly #bus: Bus;
  readonly #chance: Chance;
  readonly #longAway: readonly [number, number];
  readonly #loops: Promise<void>[] = [];
  readonly #busy = new Set<Part>();
  #isOn = true;

  /** @param lostMs a host that is silent for so long is lost. */
  constructor(fleet: ProcessFleet, bus: Bus, chance: Chance, lostMs: number) {
    this.#fleet = fleet;
    this.#bus = bus;
    this.#chance = chance;
    this.#longAway = [lostMs * 1.1, lostMs * 1.6];
  }

  start(): void {
    this.#loops.push(
      // Two hosts may be away at a time.
      this.#repeat(pace.hosts, async () => await this.#faultOfHost()),
      this.#repeat(pace.hosts, async () => await this.#faultOfHost()),
      this.#repeat(pace.coordinators, async () => await this.#faultOfCoordinator()),
      this.#repeat(pace.servers, async () => await this.#faultOfServers()),
    );
  }

  /** No more faults. Resolves when everybody is back. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#loops);
  }

  /** Again and again, each some time after what the one before it has hit is back: however slow a machine is, most of it works. */
  async #repeat(between: readonly [number, number], fault: () => Promise<void>): Promise<void> {
    for (;;) {
      const endAt = performance.now() + this.#within(between);
      while (this.#isOn && performance.now() < endAt) await sleep(100);
      if (!this.#isOn) return;
      await fault();
    }
  }

  async #faultOfHost(): Promise<void> {
    const agents = this.#fleet.hosts.map(({ agent }) => agent).filter((agent) => !this.#busy.has(agent));
    const agent = agents[this.#chance.number(agents.length)];
    if (agent === undefined) return;
    const isLong = this.#chance.number(10) < 3;
    await this.#fault(isLong ? 'host, until it is lost' : 'host', [agent], isLong ? this.#longAway : briefly);
  }

  async #faultOfCoordinator(): Promise<void> {
    const free = this.#fleet.coordinators.filter((one) => !this.#busy.has(one));
    const coordinator = free[this.#chance.number(free.length)];
    if (coordinator !== undefined) await this.#fault('coordinator', [coordinator], [100, 4_000]);
  }

  async #faultOfServers(): Promise<void> {
    const free = this.#fleet.servers.filter((one) => !this.#busy.has(one));
    if (free.length < 3) return;
    const leader = await this.#leader();
    const others = free.filter((one) => one !== leader);
    const at = this.#chance.number(others.length);
    if (this.#chance.number(3) === 0)
      await this.#fault('two of three servers', [leader, ...others.slice(at, at + 1)], serversAway);
    else await this.#fault('leader', [leader], serversAway);
  }

  /** The server that leads the stream of assignments; any one where there is none just now. */
  async #leader(): Promise<Part> {
    const { nats, connection } = this.#bus;
    let name: string | undefined;
    try {
      const manager = await nats.jetstream.jetstreamManager(connection, { checkAPI: false, timeout: 2_000 });
      name = (await manager.streams.info(streams.assignments)).cluster?.leader;
    } catch {
      // It has none just now.
    }
    const { servers } = this.#fleet;
    const found = servers.find(({ name: own }) => name === `outlive-${own.slice(-1)}`);
    return found ?? (servers[this.#chance.number(servers.length)] as Part);
  }

  async #fault(what: string, parts: readonly Part[], between: readonly [number, number]): Promise<void> {
    const isKill = this.#chance.number(2) === 0;
    const ms = this.#within(between);
    const name = `${isKill ? 'SIGKILL' : 'SIGSTOP'} of ${what}`;
    this.done[name] = (this.done[name] ?? 0) + 1;
    for (const part of parts) this.#busy.add(part);
    if (isKill) await Promise.all(parts.map(async (part) => await part.kill()));
    else for (const part of parts) part.pause();
    await sleep(ms);
    if (isKill) await Promise.all(parts.map(async (part) => await part.start()));
    else for (const part of parts) part.resume();
    for (const part of parts) this.#busy.delete(part);
  }

  #within([least, most]: readonly [number, number]): number {
    return least + this.#chance.number(Math.ceil(most - least));
  }
}

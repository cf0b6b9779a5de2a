import { join } from 'node:path';
import { FleetFolder } from '../src/fleet/admin/folder.ts';
import { initFleet } from '../src/fleet/admin/init.ts';
import { join as joinFleet } from '../src/fleet/admin/join.ts';
import { parseAddress } from '../src/fleet/bus/address.ts';
import type { Fleet } from '../src/fleet/client/fleet.ts';
import { openFleet } from '../src/fleet/client/open-fleet.ts';
import { freePort } from '../test/support/fleet.ts';
import { natsServer } from '../test/support/nats.ts';
import type { Ground } from './ground.ts';
import { Helper } from './helper.ts';

/** Tasks of a host that may run at a time: more than any row has. */
const slots = 200;

/** A fleet as its users have it: each server with a coordinator, each host, and the client here are processes of their own. */
export class FleetGround {
  readonly fleet: Fleet;
  readonly servers: readonly Helper[];
  readonly #ground: Ground;

  private constructor(ground: Ground, fleet: Fleet, servers: readonly Helper[]) {
    this.#ground = ground;
    this.fleet = fleet;
    this.servers = servers;
  }

  /** @param count of servers; three of them encrypt what they say, since they are on machines of their own. */
  static async start(ground: Ground, count: 1 | 3): Promise<FleetGround> {
    const nats = natsServer();
    if (nats === null) throw new Error('there is no nats-server: run scripts/get-nats.sh');
    const folder = FleetFolder.open(join(ground.newFolder(), 'fleet'));
    const servers = [];
    for (let number = 1; number <= count; number += 1)
      servers.push(parseAddress(`${count === 1 ? '' : 'tls://'}127.0.0.1:${await freePort()}`));
    await initFleet(folder, { servers, listenHost: '127.0.0.1', dataFolder: ground.newFolder() });
    const helpers = servers.map((_, at) => new Helper('fleet-server', folder.path, nats, String(at + 1)));
    await Promise.all(helpers.map(async (helper) => await helper.ask('begun')));
    return new FleetGround(ground, await openFleet({ folder: folder.path }), helpers);
  }

  /** A machine that joins; it has a lease when this resolves. */
  async host(name: string): Promise<Helper> {
    const line = await this.fleet.invite({ kind: 'host', labels: {}, slots }, 3_600_000);
    const folder = FleetFolder.open(join(this.#ground.newFolder(), 'fleet'));
    await joinFleet(folder, line, name);
    const helper = new Helper('fleet-host', folder.path, join(this.#ground.newFolder(), 'store'));
    await helper.ask('begun');
    return helper;
  }

  /** Closes the client. What runs ends with the ground. */
  async close(): Promise<void> {
    await this.fleet.close();
  }
}

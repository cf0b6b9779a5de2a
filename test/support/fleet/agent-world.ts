import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { HostAgent, type HostAgentOptions } from '../../../src/fleet/agent/host-agent.ts';
import { NatsServer } from '../nats.ts';
import { World } from '../world.ts';
import { TestCoordinator } from './granting-coordinator.ts';

/** A server, a coordinator of the test, and a host with a real store: what the tests of host agents need. */
export class FleetWorld implements AsyncDisposable {
  readonly world: World;
  server: NatsServer;
  readonly coordinator: TestCoordinator;
  readonly #opened: AsyncDisposable[] = [];
  /** As whom agents connect; `null`: as nobody. */
  readonly #user: string | null;

  private constructor(world: World, server: NatsServer, coordinator: TestCoordinator, user: string | null) {
    this.#user = user;
    this.world = world;
    this.server = server;
    this.coordinator = coordinator;
  }

  /** @param config more lines of the server's configuration, with users `coordinator` and `h1` whose passwords are their names. */
  static async start(config = ''): Promise<FleetWorld> {
    const world = new World();
    const server = await NatsServer.start({ folder: join(world.base, 'nats'), config });
    const coordinator = await TestCoordinator.start(server.url, config === '' ? null : 'coordinator');
    return new FleetWorld(world, server, coordinator, config === '' ? null : 'h1');
  }

  /** Starts a host agent in this process. */
  async agent(options: Partial<HostAgentOptions> = {}): Promise<HostAgent> {
    const { host = 'h1' } = options;
    const connection = await connect({
      servers: this.server.url,
      ...(this.#user !== null && { user: this.#user, pass: this.#user }),
      inboxPrefix: `_INBOX.${host}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
    });
    const agent = await HostAgent.start({
      ...{ connection, host, coordinators: new Set([this.coordinator.key.publicKey]), version: '0.0.0' },
      store: options.store ?? (await this.world.store({ cgroup: null })),
      ...{ dir: join(this.world.base, 'agent'), labels: {}, slots: 8, heartbeatMs: 100 },
      ...options,
    }).catch(async (error: unknown) => {
      await connection.close();
      throw error;
    });
    this.#opened.push({
      async [Symbol.asyncDispose]() {
        await agent.close();
        await connection.close();
      },
    });
    return agent;
  }

  /** Ends the server, and starts another one at its port. @param folder of its data: a new one is empty. */
  async restartServer(folder: string): Promise<void> {
    const { port } = this.server;
    await this.server.kill();
    this.server = await NatsServer.start({ folder: join(this.world.base, folder), port });
  }

  /** A command that notes each of its starts, and then does something else. */
  noting(then = 'true'): { readonly command: string; readonly starts: () => string[] } {
    const file = join(this.world.base, `starts-${Math.random().toString(36).slice(2)}`);
    return {
      command: `echo "$OUTLIVE_ATTEMPT" >> '${file}'; ${then}`,
      starts: () => readLines(file),
    };
  }

  /** The same, which runs until it is let go, and does something else then. */
  waiting(then = 'true'): ReturnType<FleetWorld['noting']> & { readonly letGo: () => void } {
    const go = join(this.world.base, `go-${Math.random().toString(36).slice(2)}`);
    const noting = this.noting(`until [ -e '${go}' ]; do sleep 0.02; done; ${then}`);
    return { ...noting, letGo: () => writeFileSync(go, '') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#opened.reverse()) await one[Symbol.asyncDispose]();
    await this.coordinator[Symbol.asyncDispose]();
    await this.server.kill();
    await this.world[Symbol.asyncDispose]();
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

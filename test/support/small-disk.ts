import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentOptions } from './agent-types.ts';
import { Agent } from './agents.ts';
import { quote, type World } from './world.ts';

/** A store on a disk of its own, which is small; only its agents see it. Needs the rights of root. */
export class SmallDisk {
  readonly #world: World;
  readonly #size: string;
  readonly mount: string;
  readonly dir: string;
  /** Fills what is left, and stays. */
  readonly fill: string;

  constructor(world: World, size = '512k') {
    this.#size = size;
    this.#world = world;
    this.mount = join(world.base, 'disk');
    this.dir = join(this.mount, 'store');
    this.fill = `dd if=/dev/zero of=${quote(join(this.mount, 'filler'))} bs=4k 2>/dev/null`;
    mkdirSync(this.mount);
  }

  async agent(sessionId = 'test', store: AgentOptions['store'] & object = {}): Promise<Agent> {
    const script = `mount -t tmpfs -o size=${this.#size} none ${quote(this.mount)} && exec "$@"`;
    return await Agent.start(this.dir, {
      sessionId,
      store,
      before: ['unshare', '--mount', 'sh', '-c', script, 'sh'],
    });
  }

  /** Another agent, on the same disk. */
  async join(agent: Agent): Promise<Agent> {
    return await Agent.start(this.dir, { before: ['nsenter', '--target', String(agent.pid), '--mount'] });
  }

  /** A command that waits until {@link SmallDisk.go} is called. */
  waiting(then: string): string {
    return `while [ ! -e ${quote(this.#go)} ]; do sleep 0.02; done; ${then}`;
  }

  go(): void {
    writeFileSync(this.#go, '');
  }

  get #go(): string {
    return join(this.#world.base, 'go');
  }
}

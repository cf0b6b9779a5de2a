import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** What makes a network of a test's own, before anything is in it. */
const ownNetwork = ['unshare', '--user', '--map-root-user', '--net'];

const addSwitch = 'ip link add switch type bridge && ip link set switch up';

/** What a test skips with where there are no networks of its own. */
export const withoutNetworks = whyNot();

function whyNot(): string | false {
  if (process.platform !== 'linux') return 'networks of a test are those of Linux';
  const [program = '', ...words] = ownNetwork;
  const script = `${addSwitch} && ip link add end1 type veth peer name end2`;
  const { status, stderr, error } = spawnSync(program, [...words, 'sh', '-c', script], { encoding: 'utf8' });
  if (status === 0) return false;
  return `this machine gives a test no network of its own: ${error?.message ?? stderr.trim()}`;
}

/** Waits as long as its standard input is open, so that nothing is left of a test that was killed. */
const whileOpen = 'echo ready; exec cat';

/**
 * Machines with a network between them: namespaces of a test's own, each with a cable to one switch. They have the files and the
 * processes of this machine. Nothing here reaches them but by {@link Network.enter}.
 */
export class Network implements AsyncDisposable {
  readonly #hub: Namespace;
  readonly #machines = new Map<string, Namespace>();

  private constructor(hub: Namespace) {
    this.#hub = hub;
  }

  static async make(names: readonly string[]): Promise<Network> {
    const network = new Network(await Namespace.start([...ownNetwork, 'sh', '-c'], addSwitch));
    try {
      for (const name of names) await network.#add(name);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** The address of a machine. */
  address(name: string): string {
    return `10.99.0.${this.#numberOf(name)}`;
  }

  /** What to put in front of a command, so that it runs on a machine. */
  enter(name: string): readonly string[] {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`expected one of the machines of the test; found ${name}`);
    return machine.enter;
  }

  /** Pulls the cable of a machine. No connection is told: what is sent gets lost. */
  cut(name: string): void {
    this.#hub.run(`ip link set cable${this.#numberOf(name)} down`);
  }

  /** Puts the cable back. */
  join(name: string): void {
    this.#hub.run(`ip link set cable${this.#numberOf(name)} up`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.#machines.values()) await machine.end();
    await this.#hub.end();
  }

  #numberOf(name: string): number {
    const at = [...this.#machines.keys()].indexOf(name);
    if (at < 0) throw new Error(`expected one of the machines of the test; found ${name}`);
    return at + 1;
  }

  async #add(name: string): Promise<void> {
    const machine = await Namespace.start(
      [...this.#hub.enter, 'unshare', '--net', 'sh', '-c'],
      'ip link set lo up',
    );
    this.#machines.set(name, machine);
    const cable = `cable${this.#numberOf(name)}`;
    this.#hub.run(
      `ip link add ${cable} type veth peer name eth0 netns ${machine.pid} && ip link set ${cable} master switch up`,
    );
    machine.run(`ip addr add ${this.address(name)}/24 dev eth0 && ip link set eth0 up`);
  }
}

/** A namespace of the network, and the process that keeps it. */
class Namespace {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.pid = child.pid ?? 0;
  }

  static async start(words: readonly string[], script: string): Promise<Namespace> {
    const [program = '', ...args] = [...words, `${script} && ${whileOpen}`];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const namespace = new Namespace(child);
    const isReady = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      namespace.#exited.then(() => false),
    ]);
    if (!isReady) throw new Error(`expected a network of the test's own; ${program} has ended`);
    return namespace;
  }

  get enter(): readonly string[] {
    return ['nsenter', '--target', String(this.pid), '--user', '--net', '--preserve-credentials'];
  }

  run(script: string): void {
    const [program = '', ...words] = this.enter;
    const { status, stderr } = spawnSync(program, [...words, 'sh', '-c', script], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`expected to do: ${script}; found: ${stderr}`);
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}

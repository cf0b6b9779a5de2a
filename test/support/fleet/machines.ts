import assert from 'node:assert/strict';
import { type CallOptions, CommandLine, type Running } from '../command-line.ts';
import { freePort } from '../fleet.ts';
import { natsServer } from '../nats.ts';
import { waitFor } from '../world.ts';

/** A server may take a minute to be ready, where three choose a leader on a busy machine. */
const longestStartMs = 90_000;

/** A machine with outlive: its own home and store. */
export class Machine extends CommandLine {
  readonly #before: readonly string[];

  /** @param before what stands in front of every command, so that it runs there. @default it runs here */
  constructor(before: readonly string[] = []) {
    super();
    this.#before = before;
  }

  override start(words: readonly string[], options: CallOptions = {}): Running {
    return super.start(words, { before: this.#before, ...options });
  }

  /** Joins the fleet as a client. */
  async joinAsClient(invitation: string): Promise<void> {
    const joined = await this.run('fleet', 'join', invitation);
    assert.deepEqual([joined.status, joined.stdout], [0, 'joined the fleet as agent\n'], joined.stderr);
  }

  /** A command on a host; its name in the fleet. */
  async on(place: string, command: string, ...options: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run('run', '--on', place, ...options, '--', command);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  }
}

/** A machine that is a host of a fleet, and the agent that runs there. */
export class HostMachine extends Machine {
  #agent: Running | null = null;

  /** Joins by an invitation, and runs the agent. */
  async join(name: string, invitation: string): Promise<void> {
    const { stdout } = await this.#run(['fleet', 'join', '--name', name, invitation]);
    assert.match(stdout, new RegExp(`^joined the fleet as the host ${name}\n`));
  }

  /** Runs the agent again. */
  async restart(): Promise<void> {
    await this.#run(['fleet', 'join']);
  }

  /** Ends the agent without a word. */
  async killAgent(): Promise<void> {
    this.#agent?.child.kill('SIGKILL');
    await this.#agent?.answer;
    this.#agent = null;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.killAgent();
    await super[Symbol.asyncDispose]();
  }

  async #run(words: readonly string[]): Promise<{ readonly stdout: string }> {
    const agent = this.start(words);
    this.#agent = agent;
    await begun(agent, 'is the host');
    return agent;
  }
}

/** How a fleet is made. */
export interface FleetMachines {
  /** The address of each server, and what stands in front of the commands of its machine. */
  readonly servers: readonly { readonly address: string; readonly before: readonly string[] }[];
}

/** A fleet as its users make it: by the installed command line, with real servers. This machine is the admin's, and the first server's. */
export class MadeFleet extends Machine {
  readonly machines: Machine[] = [];
  readonly #servers: Running[] = [];
  readonly #places: FleetMachines['servers'];

  private constructor(places: FleetMachines['servers']) {
    super(places[0]?.before);
    this.#places = places;
  }

  /** @param options by default there is one server, on loopback. */
  static async make(options?: FleetMachines): Promise<MadeFleet> {
    const { servers } = options ?? { servers: [{ address: `127.0.0.1:${await freePort()}`, before: [] }] };
    const fleet = new MadeFleet(servers);
    const addresses = servers.flatMap(({ address }) => ['--address', address]);
    const made = await fleet.run('fleet', 'init', ...addresses);
    // Of three servers it says what the other two machines need.
    assert.deepEqual([made.status, servers.length === 1 ? made.stderr : ''], [0, '']);
    await fleet.serve();
    return fleet;
  }

  /** Runs the servers and their coordinators. The other machines have the folder of the fleet as the first has it. */
  async serve(): Promise<void> {
    const begin = this.#places.map(({ before }, at) => {
      const number = this.#places.length === 1 ? [] : ['--number', String(at + 1)];
      return this.start(['fleet', 'server', '--nats', natsServer() ?? '', ...number], { before });
    });
    this.#servers.push(...begin);
    for (const server of begin) await begun(server, 'serves the fleet');
  }

  /** Ends the server and the coordinator. */
  async endServer(): Promise<void> {
    await this.#server?.interrupted();
    this.#server = null;
  }

  /** Another machine that joins as a host. */
  async host(name: string, ...asked: readonly string[]): Promise<HostMachine> {
    return await this.hostBehind([], name, ...asked);
  }

  /** The same of a machine whose commands have something in front. */
  async hostBehind(
    before: readonly string[],
    name: string,
    ...asked: readonly string[]
  ): Promise<HostMachine> {
    const { stdout, stderr } = await this.run('fleet', 'invite', ...asked);
    assert.equal(stderr, '');
    const machine = new HostMachine(before);
    this.machines.push(machine);
    await machine.join(name, stdout.trim());
    await this.untilHost(name, 'live');
    return machine;
  }

  /** Another machine that joins as a client with the role agent. */
  async clientBehind(before: readonly string[]): Promise<Machine> {
    const { stdout, stderr } = await this.run('fleet', 'invite', '--role', 'agent');
    assert.equal(stderr, '');
    const machine = new Machine(before);
    this.machines.push(machine);
    await machine.joinAsClient(stdout.trim());
    return machine;
  }

  /** Waits until a host is listed with a state. @param withinMs a host that is silent is lost after 39 s. */
  async untilHost(name: string, state: 'live' | 'lost', withinMs = 20_000): Promise<void> {
    const row = new RegExp(`^${name}\t${state}\t`, 'm');
    await waitFor(
      async () => row.test((await this.run('fleet', 'hosts')).stdout),
      `${name} to be ${state}`,
      withinMs,
    );
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    // The last first: each finds open what the ones before it have opened.
    const ends = [
      ...this.machines.map((machine) => async () => await machine[Symbol.asyncDispose]()).reverse(),
      async () => void (await Promise.all(this.#servers.map(async (server) => await server.interrupted()))),
      async () => await super[Symbol.asyncDispose](),
    ];
    const failed: unknown[] = [];
    for (const end of ends) await end().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }
}

async function begun(program: Running, text: string): Promise<void> {
  await waitFor(
    () => {
      const { exitCode } = program.child;
      if (exitCode !== null) throw new Error(`it ended with ${exitCode}: ${program.stderr}`);
      return program.stderr.includes(text);
    },
    `a program to say "${text}"`,
    longestStartMs,
  );
}

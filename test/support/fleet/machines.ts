import assert from 'node:assert/strict';
import { join } from 'node:path';
import { FleetFolder } from '../../../src/fleet/admin/folder.ts';
import {
  type Answer,
  type CallOptions,
  CommandLine,
  objects,
  oneObject,
  type Running,
  type Snapshot,
} from '../command-line.ts';
import { freePort } from '../fleet.ts';
import { natsServer } from '../nats.ts';
import { loadingFirst } from '../runtime.ts';
import { fixturePath, waitFor } from '../world.ts';

/** Times of a fleet for tests that wait for a host to be lost. Those of users are ten times as long. */
export interface QuickTimes {
  readonly leaseMs: number;
  readonly heartbeatMs: number;
}

/** A server may take a minute to be ready, where three choose a leader on a busy machine. */
const longestStartMs = 90_000;

const src = new URL('../../../src/', import.meta.url).href;

/** A machine with outlive: its own home and store. Its clock may be wrong. */
export class Machine extends CommandLine {
  /** By how much its clock is ahead, in milliseconds. */
  clockMs = 0;
  readonly #before: readonly string[];

  /** @param before what stands in front of every command, so that it runs there. @default it runs here */
  constructor(before: readonly string[] = []) {
    super();
    this.#before = before;
  }

  /** The folder of the fleet on this machine. */
  get folder(): FleetFolder {
    return FleetFolder.open(join(this.base, '.config', 'outlive', 'fleet'));
  }

  override environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const env = super.environment(more);
    if (this.clockMs === 0) return env;
    const shifted = { ...env, OUTLIVE_TEST_CLOCK_MS: String(this.clockMs) };
    return loadingFirst(shifted, fixturePath('shifted-clock.mjs'));
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

  /** Runs a party of a fleet that is not to have the times of users. @param from the URL of the sources. */
  protected startParty(kind: 'host' | 'server', options: object, from = src): Running {
    const program = [process.execPath, fixturePath('fleet-party.mjs')];
    return this.start([JSON.stringify({ src: from, kind, ...options })], { program });
  }
}

/** How a machine is made. */
interface MachineOptions {
  /** What stands in front of its commands. @default nothing */
  readonly before?: readonly string[];
  /** `null`: those of users, and all is run by the command line. @default null */
  readonly times?: QuickTimes | null;
}

/** A machine that is a host of a fleet, and the agent that runs there. */
export class HostMachine extends Machine {
  readonly #times: QuickTimes | null;
  #agent: Running | null = null;

  constructor({ before = [], times = null }: MachineOptions = {}) {
    super(before);
    this.#times = times;
  }

  /** Joins by an invitation, and runs the agent. */
  async join(name: string, invitation: string): Promise<void> {
    if (this.#times === null) {
      const { stdout } = await this.#run(['fleet', 'join', '--name', name, invitation]);
      assert.match(stdout, new RegExp(`^joined the fleet as the host ${name}\n`));
      return;
    }
    const { status, stderr } = await this.enrol('--name', name, invitation);
    assert.deepEqual([status, stderr], [0, '']);
    await this.restart();
  }

  /** Joins, and runs no agent. */
  async enrol(...words: readonly string[]): Promise<Answer> {
    return await this.run('fleet', 'join', '--enrol-only', ...words);
  }

  /** Runs the agent again. @param from the URL of its sources, where it is of another version. */
  async restart(from?: string): Promise<Running> {
    if (this.#times === null) return await this.#run(['fleet', 'join']);
    const agent = this.startParty('host', { heartbeatMs: this.#times.heartbeatMs }, from);
    this.#agent = agent;
    await begun(agent, 'is there');
    return agent;
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

  async #run(words: readonly string[]): Promise<Running> {
    const agent = this.start(words);
    this.#agent = agent;
    await begun(agent, 'is the host');
    return agent;
  }
}

/** How a fleet is made. */
export interface FleetMachines {
  /** The address of each server, and what stands in front of the commands of its machine. @default one, on loopback */
  readonly servers?: readonly { readonly address: string; readonly before: readonly string[] }[];
  /** `null`: those of users, and all is run by the command line. @default null */
  readonly times?: QuickTimes | null;
}

/** A fleet as its users make it: by the installed command line, with real servers. This machine is the admin's, and the first server's. */
export class MadeFleet extends Machine {
  readonly machines: Machine[] = [];
  readonly #servers: Running[] = [];
  readonly #places: NonNullable<FleetMachines['servers']>;
  readonly #times: QuickTimes | null;

  private constructor(places: NonNullable<FleetMachines['servers']>, times: QuickTimes | null) {
    super(places[0]?.before);
    this.#places = places;
    this.#times = times;
  }

  static async make(options: FleetMachines = {}): Promise<MadeFleet> {
    const servers = options.servers ?? [{ address: `127.0.0.1:${await freePort()}`, before: [] }];
    const fleet = new MadeFleet(servers, options.times ?? null);
    const addresses = servers.flatMap(({ address }) => ['--address', address]);
    try {
      const made = await fleet.run('fleet', 'init', ...addresses);
      // Of three servers it says what the other two machines need.
      assert.deepEqual([made.status, servers.length === 1 ? made.stderr : ''], [0, '']);
      await fleet.serve();
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs the servers and their coordinators. The other machines have the folder of the fleet as the first has it. */
  async serve(): Promise<void> {
    const nats = natsServer() ?? '';
    const times = this.#times;
    if (times !== null) {
      const server = this.startParty('server', { nats, leaseMs: times.leaseMs });
      this.#servers.push(server);
      await begun(server, 'is there');
      return;
    }
    const begin = this.#places.map(({ before }, at) => {
      const number = this.#places.length === 1 ? [] : ['--number', String(at + 1)];
      return this.start(['fleet', 'server', '--nats', nats, ...number], { before });
    });
    this.#servers.push(...begin);
    for (const server of begin) await begun(server, 'serves the fleet');
  }

  /** Ends the servers and the coordinators. */
  async stopServing(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map(async (server) => await server.interrupted()));
  }

  /** A line that invites. */
  async invite(...asked: readonly string[]): Promise<string> {
    const { stdout, stderr } = await this.run('fleet', 'invite', ...asked);
    assert.equal(stderr, '');
    return stdout.trim();
  }

  /** A machine that is none of the fleet yet. It ends with it. @param before what stands in front of its commands. */
  machine(before: readonly string[] = []): HostMachine {
    const machine = new HostMachine({ before, times: this.#times });
    this.machines.push(machine);
    return machine;
  }

  /** What the list of hosts says of one. */
  async seen(name: string): Promise<Snapshot> {
    const hosts = objects((await this.run('fleet', 'hosts', '--json')).stdout);
    return hosts.find(({ host }) => host === name) ?? {};
  }

  /** Waits until a host is as it should be. @param withinMs a host that is silent is lost after 39 s. */
  async untilHost(
    name: string,
    isSo: (host: Snapshot) => unknown,
    what: string,
    withinMs = 20_000,
  ): Promise<void> {
    await waitFor(async () => isSo(await this.seen(name)), `${name} to be ${what}`, withinMs);
  }

  /** Waits until a host is listed as one that is there. */
  async untilLive(name: string, withinMs?: number): Promise<void> {
    await this.untilHost(name, ({ state }) => state === 'live', 'live', withinMs);
  }

  /** Waits until a host is listed as lost. */
  async untilLost(name: string, withinMs?: number): Promise<void> {
    await this.untilHost(name, ({ state }) => state === 'lost', 'lost', withinMs);
  }

  /** Waits until a task is in a state. */
  async untilState(task: string, state: string): Promise<void> {
    await waitFor(
      async () => oneObject((await this.run('show', '--json', task)).stdout).state === state,
      `${task} to be ${state}`,
    );
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
    const machine = this.machine(before);
    await machine.join(name, await this.invite(...asked));
    await this.untilLive(name);
    return machine;
  }

  /** Another machine that joins as a client with the role agent. */
  async clientBehind(before: readonly string[]): Promise<Machine> {
    const machine = new Machine(before);
    this.machines.push(machine);
    await machine.joinAsClient(await this.invite('--role', 'agent'));
    return machine;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    // The last first: each finds open what the ones before it have opened.
    const ends = [
      ...this.machines.map((machine) => async () => await machine[Symbol.asyncDispose]()).reverse(),
      async () => await this.stopServing(),
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

import assert from 'node:assert/strict';
import { CommandLine, type Running } from '../command-line.ts';
import { freePort } from '../fleet.ts';
import { natsServer } from '../nats.ts';
import { waitFor } from '../world.ts';

/** A machine that is a host of a fleet: its own home and store, and the agent that runs there. */
export class HostMachine extends CommandLine {
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

/** A fleet as its users make it: by the installed command line, with a real server on loopback. This machine is the admin's. */
export class MadeFleet extends CommandLine {
  readonly machines: HostMachine[] = [];
  #server: Running | null = null;

  static async make(): Promise<MadeFleet> {
    const fleet = new MadeFleet();
    const made = await fleet.run('fleet', 'init', '--address', `127.0.0.1:${await freePort()}`);
    assert.deepEqual([made.status, made.stderr], [0, '']);
    await fleet.serve();
    return fleet;
  }

  /** Runs the server and the coordinator. */
  async serve(): Promise<void> {
    const server = this.start(['fleet', 'server', '--nats', natsServer() ?? '']);
    this.#server = server;
    await begun(server, 'serves the fleet');
  }

  /** Another machine that joins as a host. */
  async host(name: string, ...asked: readonly string[]): Promise<HostMachine> {
    const { stdout, stderr } = await this.run('fleet', 'invite', ...asked);
    assert.equal(stderr, '');
    const machine = new HostMachine();
    this.machines.push(machine);
    await machine.join(name, stdout.trim());
    await waitFor(
      async () => new RegExp(`^${name}\tlive\t`, 'm').test((await this.run('fleet', 'hosts')).stdout),
      `${name} to be live`,
    );
    return machine;
  }

  /** A command on a host; its name in the fleet. */
  async on(place: string, command: string, ...options: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run('run', '--on', place, ...options, '--', command);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    // The last first: each finds open what the ones before it have opened.
    const ends = [
      ...this.machines.map((machine) => async () => await machine[Symbol.asyncDispose]()).reverse(),
      async () => void (await this.#server?.interrupted()),
      async () => await super[Symbol.asyncDispose](),
    ];
    const failed: unknown[] = [];
    for (const end of ends) await end().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
  }
}

async function begun(program: Running, text: string): Promise<void> {
  await waitFor(() => {
    const { exitCode } = program.child;
    if (exitCode !== null) throw new Error(`it ended with ${exitCode}: ${program.stderr}`);
    return program.stderr.includes(text);
  }, `a program to say "${text}"`);
}

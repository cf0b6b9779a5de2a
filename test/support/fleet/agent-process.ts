import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isStopped } from '../moments/at-call.ts';
import { fixturePath, waitFor } from '../world.ts';
import type { FleetWorld } from './agent-world.ts';

const src = new URL('../../../src/', import.meta.url).href;

/** Where an agent process is stopped: before or after a message or a spawn, and by which signal; or an answer that has come is lost. */
export interface Gap {
  readonly moment: `${'before' | 'after'} ${'accepted' | 'spawn' | 'done' | 'ended' | 'asked'}`;
  readonly signal: 'SIGKILL' | 'SIGSTOP' | 'answer lost';
}

/** A host agent in a process of its own, on the store of a test's world. */
export class AgentProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #said = '';
  /** What it was started to take. */
  task = '';

  /** @param diesAt it is killed before its call of that number that changes something, from the first spawn on; 0: never. */
  constructor(
    { server, coordinator, world }: FleetWorld,
    options: object = {},
    gap: Gap | null = null,
    diesAt = 0,
  ) {
    const agent = {
      host: 'h1',
      labels: {},
      slots: 8,
      heartbeatMs: 100,
      dir: join(world.base, 'agent'),
      ...options,
    };
    const coordinators = [coordinator.key.publicKey];
    const scene = { src, url: server.url, options: agent, coordinators, storeDir: world.dir, gap };
    const before = diesAt === 0 ? [] : [`--import=${pathToFileURL(fixturePath('dies-at-call.mjs')).href}`];
    this.#child = spawn(
      process.execPath,
      [...before, fixturePath('fleet-agent.mjs'), JSON.stringify(scene)],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, DIES_AT_CALL: String(diesAt) } },
    );
    this.#exited = once(this.#child, 'exit');
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  /** A task is assigned, and an agent takes it and comes to its gap. */
  static async inGap(fleet: FleetWorld, gap: Gap, command: string): Promise<AgentProcess> {
    const task = await fleet.coordinator.assign('h1', { command });
    const agent = new AgentProcess(fleet, {}, gap);
    agent.task = task;
    try {
      await agent.reached(gap);
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw error;
    }
    return agent;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until it has started. */
  async started(): Promise<this> {
    await waitFor(() => this.#said.includes('started\n'), 'the agent to start');
    return this;
  }

  /** Waits until it has come to its gap, and has ended or stopped there. */
  async reached({ moment, signal }: Gap): Promise<void> {
    await waitFor(() => this.#said.includes(`${moment}\n`), `the agent to come to ${moment}`);
    if (signal === 'SIGKILL') await this.#exited;
    else if (signal === 'SIGSTOP') await waitFor(() => isStopped(this.pid), 'the agent to be stopped');
  }

  /** Whether it has been killed, or has ended. */
  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isGone) return;
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    await this.#exited;
  }
}

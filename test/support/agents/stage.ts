import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { factOf, hasFact } from '../logs.ts';
import { commandLineOf, cookieOf, isShim, livePids } from '../processes.ts';
import { root } from '../repository.ts';
import { quote, World, waitFor } from '../world.ts';
import type { ToolCall } from './exchange.ts';
import { FakeModel, type Step } from './fake-model.ts';
import { installed } from './installed.ts';
import type { AgentProgram, Place } from './program.ts';

/** No conversation of a scene takes this long unless the agent hangs; a busy machine makes opencode take 30 s. */
const conversationMs = 150_000;

/** A world whose store is the one that outlive takes by itself in a HOME. */
class HomeWorld extends World {
  override readonly dir = `${this.base}/home/.local/state/outlive`;
}

/** A command that waits until its scene lets it end. */
export interface Held {
  readonly name: string;
  readonly command: string;
  /** What it prints at its end. The command does not show it. */
  readonly line: string;
  readonly exitCode: number;
}

/** What an agent is asked. */
interface Prompted {
  readonly prompt: string;
  /** The last conversation goes on. */
  readonly resumes?: boolean;
}

/** One agent with a HOME and a folder of its own, outlive in its PATH, and a fake model that all its conversations ask. */
export class Stage implements AsyncDisposable {
  readonly agent: AgentProgram;
  readonly model: FakeModel;
  readonly world: HomeWorld;
  readonly #place: Place;
  readonly #running: Conversation[] = [];
  #conversation = '';

  private constructor(agent: AgentProgram, model: FakeModel) {
    this.agent = agent;
    this.model = model;
    const { node, modules, homes } = installed();
    this.world = new HomeWorld(homes);
    const { base } = this.world;
    const [home, folder, bin] = ['home', 'work', 'bin'].map((name) => join(base, name)) as [
      string,
      string,
      string,
    ];
    for (const made of [home, folder, bin]) mkdirSync(made);
    symlinkSync(process.execPath, join(bin, 'node'));
    symlinkSync(join(root, 'dist/bin/outlive.cjs'), join(bin, 'outlive'));
    // Login shells begin with a PATH of the system's.
    writeFileSync(join(home, '.profile'), `export PATH=${quote(bin)}:"$PATH"\n`);
    this.#place = { home, folder, node, modelUrl: model.url, modules: modules[agent.key] ?? '' };
    agent.setUp(this.#place);
    // Nothing else is done to it.
    const options = { cwd: folder, env: this.#env(), stdio: 'pipe' } as const;
    const commands = agent.install?.(this.#place) ?? [['outlive', 'setup', agent.key, '--yes']];
    for (const [program = '', ...words] of commands) execFileSync(program, words, options);
  }

  /** @param scene a word for the folder in which requests are kept, if OUTLIVE_AGENTS_RECORDS names one. */
  static async open(agent: AgentProgram, scene: string): Promise<Stage> {
    const records = process.env.OUTLIVE_AGENTS_RECORDS;
    const tool = agent.needs ?? agent.call('run', {}).tool;
    const patience = { tool, meanwhile: { calls: [agent.shell('sleep 1')] } };
    return new Stage(agent, await FakeModel.start(patience, records && join(records, scene, agent.key)));
  }

  /** A command that ends when `release` says so. */
  held(name: string, exitCode = 3): Held {
    const [word, a, b] = [`${name}-says`, 41, exitCode];
    const command = `until [ -e ${name}.go ]; do sleep 0.1; done; echo ${word}-$((${a}+${b})); exit ${exitCode}`;
    return { name, command, line: `${word}-${a + b}`, exitCode };
  }

  /** Lets a held command end. */
  allow({ name }: Held): void {
    writeFileSync(join(this.#place.folder, `${name}.go`), '');
  }

  /**
   * Lets a held command end, and waits for a fact in its log: `exit` is there as soon as it has ended, `outcome` once
   * somebody has seen that, which a server does that runs.
   */
  async release(held: Held, fact: 'exit' | 'outcome' = 'outcome'): Promise<void> {
    this.allow(held);
    await waitFor(() => this.has(held, fact), `the ${fact} of ${held.name}`);
  }

  /** Whether the log of a held command has a fact. */
  has({ name }: Pick<Held, 'name'>, fact: 'exit' | 'outcome' | 'delivered' | 'seen'): boolean {
    const logs = this.world.taskIds().map((id) => this.world.logOf(id));
    return logs.some((log) => hasFact(log, fact) && factOf(log, 'spec').name === name);
  }

  /** The call by which the model starts a held command in the background, in the shell of the agent. */
  startInShell({ name, command }: Held): ToolCall {
    return this.agent.shell(`outlive run -n ${name} -t none ${quote(command)}`);
  }

  /** The call by which the model starts a held command in the background. */
  start({ name, command }: Held, more: Readonly<Record<string, unknown>> = {}): ToolCall {
    return this.agent.call('run', { command, name, wait_ms: 0, ...more });
  }

  /** Begins a conversation, or goes on with the last one. The model takes these steps. */
  ask({ prompt, resumes = false }: Prompted, steps: readonly Step[]): Conversation {
    this.model.plays(prompt, steps);
    if (!resumes) this.#conversation = randomUUID();
    const asked = { prompt, resumes, conversation: this.#conversation };
    const conversation = new Conversation(
      this.agent.command(this.#place, asked),
      this.#place.folder,
      this.#env(),
    );
    this.#running.push(conversation);
    return conversation;
  }

  /** Has a whole conversation. Returns each text that its model was shown. */
  async converse(asked: Prompted, steps: readonly Step[]): Promise<readonly string[]> {
    await this.ask(asked, steps).ended();
    return this.shown(asked.prompt);
  }

  /** Each text that the model of a scene was shown: the answers of tools, and what the agent said. */
  shown(prompt: string): readonly string[] {
    const { said, answers } = this.model.saw(prompt);
    return [...said, ...answers];
  }

  /** The latest answer of a tool that the model of a scene was shown. */
  latest(prompt: string): readonly string[] {
    return this.model.saw(prompt).answers.slice(-1);
  }

  /** The model was shown these tools of outlive's, each with a description. */
  assertDescribed(prompt: string, tools: readonly string[]): void {
    const described = this.model.saw(prompt).tools.filter(({ description }) => description !== '');
    const names = described.map(({ name }) => name);
    for (const tool of tools) {
      const { tool: name } = this.agent.call(tool, {});
      assert.ok(names.includes(name), `expected the tool ${name} among ${names.join(', ')}`);
    }
  }

  /** A line for a shell that starts the agent with a terminal. */
  line(words: readonly string[]): string {
    const env = Object.entries(this.#env()).map(([name, value]) => `${name}=${quote(value)}`);
    return `cd ${quote(this.#place.folder)} && exec env -i ${env.join(' ')} ${words.map(quote).join(' ')}`;
  }

  get place(): Place {
    return this.#place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const conversation of this.#running) conversation.crash();
    try {
      const left = () => this.#processes().filter((pid) => cookieOf(pid) === undefined && !isShim(pid));
      await waitFor(() => left().length === 0, 'the processes of the agent to be gone', 10_000).catch(() => {
        // Some agents leave a process of their own on purpose; a server of ours must not be left.
        const ours = left()
          .map(commandLineOf)
          .filter((line) => line?.includes('outlive'));
        for (const pid of left()) process.kill(pid, 'SIGKILL');
        assert.deepEqual(ours, [], 'a server is left after its agent');
      });
    } finally {
      await this.model[Symbol.asyncDispose]();
      await this.world[Symbol.asyncDispose]();
    }
  }

  #env(): Record<string, string> {
    const { home } = this.#place;
    const path = `${join(this.world.base, 'bin')}:/usr/local/bin:/usr/bin:/bin`;
    return {
      HOME: home,
      PATH: path,
      LANG: 'C.UTF-8',
      SHELL: '/bin/bash',
      TERM: 'xterm-256color',
      ...this.agent.env(this.#place),
    };
  }

  #processes(): number[] {
    const mark = `HOME=${this.#place.home}`;
    return livePids().filter((pid) => {
      const path = `/proc/${pid}/environ`;
      try {
        return existsSync(path) && readFileSync(path, 'utf8').split('\0').includes(mark);
      } catch {
        return false; // Gone meanwhile.
      }
    });
  }
}

/** An agent that works at one prompt, without a terminal. */
class Conversation {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #output = '';

  constructor([program = '', ...words]: readonly string[], cwd: string, env: Record<string, string>) {
    this.#child = spawn(program, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
  }

  /** Waits for the agent's own end. Throws, with all that it printed, unless that was in order. */
  async ended(): Promise<void> {
    const timer = setTimeout(() => this.crash(), conversationMs);
    const [code, killSignal] = await this.#closed;
    clearTimeout(timer);
    assert.equal(code ?? killSignal, 0, `the agent ended otherwise, and printed:\n${this.#output}`);
  }

  /** Ends the agent as a crash would. */
  crash(): void {
    this.#child.kill('SIGKILL');
  }

  /** Waits until the agent is gone, however it ended. */
  async gone(): Promise<void> {
    await this.#closed;
  }
}

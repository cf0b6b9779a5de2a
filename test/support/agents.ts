import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AgentOptions, AgentScope, Taken } from './agent-types.ts';
import { root } from './repository.ts';

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
}

/** What went wrong inside an agent. */
class AgentError extends Error {
  /** The code of the error there, if it had one. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.code = code;
  }
}

const library = new URL('../../src/index.js', import.meta.url).href;

/**
 * Another process that has a store and a session open, to be told what to do and to be killed. Disposing of it
 * closes it in order; a test that kills it first has a crash.
 */
export class Agent implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #isOurs: boolean;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;

  private constructor(child: ChildProcess, isOurs: boolean) {
    this.#child = child;
    this.#isOurs = isOurs;
    this.#exited = once(child, 'exit').then(() => {
      const error = { message: 'the agent is gone' };
      for (const [id, settle] of this.#waiting) settle({ id, error });
    });
    child.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer));
  }

  /** Starts an agent and waits until it has the session open. */
  static async start(dir: string, options: AgentOptions = {}): Promise<Agent> {
    const { sessionId = 'test', session = {}, store = {}, before = [], node = [], env = {} } = options;
    const { execPath = process.execPath } = options;
    const open = JSON.stringify({ store: { ...store, dir }, sessionId, session });
    const program = join(root, 'test', 'fixtures', 'agent.mjs');
    const [command = '', ...rest] = [...before, execPath, ...node, program, library, open];
    const agent = new Agent(
      spawn(command, rest, {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, ...env },
      }),
      before.length === 0,
    );
    await agent.#answer();
    return agent;
  }

  /** The process, or the command in front of it. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Runs code in the agent. It is handed over as text, so it sees its two parameters alone. */
  async run<R, A = undefined>(
    action: (scope: AgentScope, argument: A) => R | Promise<R>,
    argument?: A,
  ): Promise<R> {
    const answer = this.#answer();
    this.#child.send({ id: this.#next - 1, action: action.toString(), argument }, () => undefined);
    return (await answer) as R;
  }

  /** Begins to take completions in the agent, and acknowledges each; see {@link Agent.taken}. */
  async takeCompletions(): Promise<void> {
    await this.run(({ session, kept }) => {
      const taken: Taken[] = [];
      kept.taken = taken;
      const take = async (): Promise<void> => {
        for await (const { ack, ...snapshot } of session.completions()) {
          const { taskId, status, exitCode } = snapshot;
          taken.push({ taskId, status, exitCode, first: await ack() });
        }
      };
      take().catch(console.error);
    });
  }

  /** The completions that the agent has taken so far. */
  async taken(): Promise<Taken[]> {
    return await this.run(({ kept }) => kept.taken as Taken[]);
  }

  /** Ends it as a crash would, and waits until it is gone. */
  async crash(): Promise<void> {
    if (this.#isOurs) this.#child.kill('SIGKILL');
    // Behind a command such as nsenter the process is not our child, so it does it itself.
    else this.run(() => process.kill(process.pid, 'SIGKILL')).catch(() => undefined);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(force);
  }

  #answer(): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) reject(new AgentError('the agent is gone', undefined));
      this.#waiting.set(id, ({ value, error }) => {
        this.#waiting.delete(id);
        if (error === undefined) resolve(value);
        else reject(new AgentError(error.message, error.code));
      });
    });
  }
}

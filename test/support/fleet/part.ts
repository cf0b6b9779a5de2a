import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { waitFor } from '../world.ts';

/** How a part of a fleet is started. */
export interface PartOptions {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The file that gets what it prints. */
  readonly log: string;
  /** What it prints when it is ready. */
  readonly ready: string;
}

/** When a part was not there, in epoch milliseconds; `until` is infinite while it still is not. */
export interface Absence {
  readonly name: string;
  readonly from: number;
  readonly until: number;
}

/** A program of a fleet that can be killed, stopped for a while, and started again. */
export class Part implements AsyncDisposable {
  readonly name: string;
  readonly absences: Absence[] = [];
  /** How it ended without being killed here. */
  readonly crashes: string[] = [];
  readonly #options: PartOptions;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();
  #awaySince: number | null = Date.now();
  #isKilled = false;

  constructor(options: PartOptions) {
    this.#options = options;
    this.name = options.name;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it, and again where it ends before it is ready: what it needs may be away. Resolves when it is ready. */
  async start(): Promise<void> {
    while (!(await this.#tryToStart())) await new Promise((resolve) => setTimeout(resolve, 200));
    if (this.#awaySince !== null)
      this.absences.push({ name: this.name, from: this.#awaySince, until: Date.now() });
    this.#awaySince = null;
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#awaySince ??= Date.now();
    this.#isKilled = true;
    this.#child?.kill('SIGKILL');
    await this.#exited;
    this.#child = null;
  }

  /** Stops its process, as a machine that is asleep. */
  pause(): void {
    this.#awaySince ??= Date.now();
    this.#child?.kill('SIGSTOP');
  }

  /** Lets it go on. */
  resume(): void {
    this.#child?.kill('SIGCONT');
    if (this.#awaySince !== null)
      this.absences.push({ name: this.name, from: this.#awaySince, until: Date.now() });
    this.#awaySince = null;
  }

  /** When it was away, now included. */
  away(): readonly Absence[] {
    const now =
      this.#awaySince === null
        ? []
        : [{ name: this.name, from: this.#awaySince, until: Number.POSITIVE_INFINITY }];
    return [...this.absences, ...now];
  }

  /** What it has printed. */
  said(): string {
    return readFileSync(this.#options.log, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #tryToStart(): Promise<boolean> {
    const { command, env, log, ready } = this.#options;
    const [program = '', ...words] = command;
    const output = openSync(log, 'w');
    const child = spawn(program, words, { stdio: ['ignore', output, output], ...(env && { env }) });
    closeSync(output);
    this.#child = child;
    this.#isKilled = false;
    this.#exited = once(child, 'exit');
    let isReady = false;
    void this.#exited.then(() => {
      if (!this.#isKilled && isReady)
        this.crashes.push(`${this.name} ended by itself: ${this.said().slice(-2_000)}`);
    });
    const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await waitFor(() => this.said().includes(ready) || isGone(), `${this.name} to be ready`, 300_000);
    isReady = !isGone();
    return isReady || this.#isKilled;
  }
}

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { installedCommand } from './packed.ts';
import { ofWindows, onWindows } from './processes.ts';
import { runtime } from './runtime.ts';
import { quote, World, waitFor } from './world.ts';

/** What one run of the program left. */
export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run the program. */
export interface CallOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A command in front of it, such as `nsenter`. */
  readonly before?: readonly string[];
  /** What is run in place of the installed program. */
  readonly program?: readonly string[];
}

/** What to run the program behind, so that no change of a file is told to it. Needs user namespaces. */
export const withoutEvents: readonly string[] = [
  ...['unshare', '--user', '--map-root-user', 'sh', '-c'],
  'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"',
  'sh',
];

/** The installed program on a store of a test's own. Nothing of the tester's own settings reaches it. */
export class CommandLine extends World {
  /** The path of the executable. */
  readonly path = installedCommand();
  /** The words that run it: Windows runs no scripts. */
  readonly program = onWindows ? [runtime, this.path] : [this.path];
  /** The same for the command of a shell, of which that of Windows takes slashes, too. */
  readonly inShell = this.program.map((word) => quote(word.replaceAll('\\', '/'))).join(' ');
  readonly #children: ChildProcess[] = [];

  /** The environment of every call. */
  environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const { PATH, NODE_OPTIONS, npm_execpath: _npm, ...rest } = process.env;
    const kept = Object.fromEntries(
      Object.entries(rest).filter(([name]) => (onWindows ? ofWindows : /^(?:LANG|LC_|TMPDIR)/).test(name)),
    );
    return { PATH, NODE_OPTIONS, HOME: this.base, OUTLIVE_HOME: this.dir, ...kept, ...more };
  }

  /** Runs `outlive` with these words, without a terminal, to its end. */
  async run(...words: string[]): Promise<Answer> {
    return await this.call(words);
  }

  /** The same with options. */
  async call(words: readonly string[], options: CallOptions = {}): Promise<Answer> {
    return await this.start(words, options).answer;
  }

  /** Starts `outlive` and does not wait. */
  start(words: readonly string[], options: CallOptions = {}): Running {
    const { env, cwd, before = [], program: own = this.program } = options;
    const [program = '', ...args] = [...before, ...own, ...words];
    const child = spawn(program, args, {
      cwd: cwd ?? this.base,
      env: this.environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return new Running(child);
  }

  /** Runs a command in the background; its task's id. */
  async spawn(command: string, ...options: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run('run', ...options, '--', command);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, /^bgb-[0-9a-f]{12}\n$/);
    return stdout.trim();
  }

  /** Runs a command, and waits until its task has ended, without acknowledging it. */
  async ended(command: string, ...options: string[]): Promise<string> {
    const taskId = await this.spawn(command, ...options);
    await this.until(taskId, ({ endedAt }) => endedAt !== null);
    return taskId;
  }

  /** Waits until a task's snapshot is as it should be; the snapshot. */
  async until(taskId: string, isSo: (snapshot: Snapshot) => unknown): Promise<Snapshot> {
    let last: Snapshot = {};
    await waitFor(async () => {
      const { stdout } = await this.run('show', '--json', taskId);
      // A log that is there and has no spec yet is no task for anybody.
      if (stdout === '') return false;
      last = oneObject(stdout);
      return isSo(last);
    }, `${taskId} to be as it should`);
    return last;
  }

  /** What `show --json` says of a task. */
  async snapshot(taskId: string): Promise<Snapshot> {
    return oneObject((await this.run('show', '--json', taskId)).stdout);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL');
    await super[Symbol.asyncDispose]();
  }
}

/** A snapshot as data whose fields a test looks at. */
// biome-ignore lint/suspicious/noExplicitAny: it comes from outside, and the tests say what is in it
export type Snapshot = Record<string, any>;

/** A run of the program that goes on. */
export class Running {
  readonly child: ChildProcess;
  readonly answer: Promise<Answer>;
  /** What it has printed so far. */
  stdout = '';
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.answer = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** Waits until an interrupt would not end it any more, but what it waits for. Windows has no interrupts of others. */
  async waits(): Promise<void> {
    if (onWindows) return;
    // SIGHUP is the last that it handles; Node handles SIGINT itself from the start.
    const bit = 1n << BigInt(constants.signals.SIGHUP - 1);
    const caught = (): bigint => {
      const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
      return BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
    };
    await waitFor(() => (caught() & bit) !== 0n, 'the program to wait');
  }

  /** Interrupts it as Ctrl-C does. Windows can only end it, so there it is as if it had said 0. */
  async interrupted(): Promise<Answer> {
    this.child.kill('SIGINT');
    const answer = await this.answer;
    return onWindows ? { ...answer, status: 0 } : answer;
  }

  /** Waits until it has printed a text. */
  async says(text: string | RegExp): Promise<void> {
    const said = (): boolean =>
      typeof text === 'string'
        ? `${this.stdout}${this.stderr}`.includes(text)
        : text.test(this.stdout + this.stderr);
    await waitFor(said, `the program to say ${text}`);
  }
}

/** The objects of JSON lines. */
export function objects(text: string): Snapshot[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The one object that was printed. */
export function oneObject(text: string): Snapshot {
  const [first, ...more] = objects(text);
  assert.ok(
    first !== undefined && more.length === 0,
    `expected one line of JSON; found ${JSON.stringify(text)}`,
  );
  return first;
}

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cacheFolder } from '../cache.ts';
import type { Ground } from '../ground.ts';
import { must } from '../measure.ts';
import type { Peer, PeerKind } from './peer.ts';

const version = '7.0.4';

/** pm2, a manager for services that runs in the background. */
export const pm2: PeerKind = {
  name: `pm2 ${version}`,
  isProgram: false,
  how: 'its library, as programs use it: `start` with `autorestart: false`, its bus for the ends, `stop`. A call of its command line takes half a second more. The benchmark kills its daemon.',
  note: 'made for services that run forever, not for commands that end',
  start: async (ground) => {
    const peer = new Pm2(ground, await find());
    await peer.connect();
    return peer;
  },
};

const driver = join(import.meta.dirname, '../../../bench/peers/pm2-driver.mjs');

interface Message {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly ended?: string;
}

class Pm2 implements Peer {
  readonly #library: string;
  readonly #home: string;
  #driver: ChildProcess | undefined;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #ended = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  #next = 1;
  #tasks = 0;

  constructor(ground: Ground, library: string) {
    this.#library = library;
    this.#home = join(ground.dir, 'pm2');
  }

  async connect(): Promise<void> {
    const env = { ...process.env, PM2_HOME: this.#home, PM2_DISABLE_VERSION_CHECK: 'true' };
    const child = spawn(process.execPath, [driver, this.#library], {
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#driver = child;
    const ready = new Promise<void>((resolve) => this.#answers.set(0, () => resolve()));
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
    await must('pm2', ready);
  }

  async spawn(command: string): Promise<string> {
    this.#tasks += 1;
    const name = `task-${this.#tasks}`;
    await this.#ask('start', { name, command });
    return name;
  }

  async wait(taskId: string): Promise<{ readonly told: Promise<void> }> {
    return { told: this.#end(taskId) };
  }

  async many(count: number): Promise<void> {
    const ends = Array.from({ length: count }, (_, n) => this.#end(`many-${n}`));
    await this.#ask('many', { count });
    await must('all ends from pm2', Promise.all(ends));
  }

  async kill(taskId: string): Promise<void> {
    await this.#ask('stop', { name: taskId });
  }

  async killManager(): Promise<void> {
    process.kill(Number(readFileSync(join(this.#home, 'pm2.pid'), 'utf8')), 'SIGKILL');
    this.#driver?.kill('SIGKILL');
  }

  async exitCodeAfterwards(taskId: string): Promise<number | null> {
    await this.connect();
    return (await this.#ask('code', { name: taskId })) as number | null;
  }

  unmarked(): number[] {
    return [];
  }

  /** The driver is not a process of pm2. Its daemon ends with the run. */
  drivers(): number[] {
    return this.#driver?.pid === undefined ? [] : [this.#driver.pid];
  }

  async stop(): Promise<void> {
    await this.#ask('end', {}).catch(() => undefined);
    this.#driver?.kill('SIGKILL');
  }

  #end(name: string): Promise<void> {
    if (this.#ended.has(name)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(name, resolve));
  }

  async #ask(action: string, more: Record<string, unknown>): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    this.#driver?.stdin?.write(`${JSON.stringify({ id, action, ...more })}\n`);
    const { value, error } = await must(`pm2 to ${action}`, answer);
    if (error !== undefined) throw new Error(`pm2 ${action}: ${error}`);
    return value;
  }

  /** A line that is not JSON is a message of pm2 to people. */
  #take(line: string): void {
    if (!line.startsWith('{')) return;
    const message = JSON.parse(line) as Message;
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.ended !== undefined) {
      this.#ended.add(message.ended);
      this.#waiting.get(message.ended)?.();
    }
  }
}

/** Where its library is. It is installed on the first use. */
async function find(): Promise<string> {
  const folder = join(cacheFolder(), `pm2-${version}`);
  const library = join(folder, 'node_modules', 'pm2', 'index.js');
  if (existsSync(library)) return library;
  mkdirSync(folder, { recursive: true });
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  try {
    const install = ['install', '--prefix', folder, ...options, `pm2@${version}`];
    await promisify(execFile)('npm', install, { timeout: 120_000, cwd: folder });
  } catch {
    throw new Error(`npm could not install pm2@${version}`);
  }
  return library;
}

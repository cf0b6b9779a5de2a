import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './repository.ts';
import { waitFor } from './world.ts';

/** The nats-server that the tests use: that of OUTLIVE_NATS, of the PATH, or the one that scripts/get-nats.sh has brought. */
export function natsServer(): string | null {
  const brought = join(root, 'build', 'nats', 'root', 'usr', 'sbin', 'nats-server');
  const candidates = [process.env.OUTLIVE_NATS, 'nats-server', brought];
  return candidates.find((path) => path && spawnSync(path, ['--version']).status === 0) ?? null;
}

/** What a test skips with where there is no nats-server. */
export const withoutNats = natsServer() === null ? 'there is no nats-server: run scripts/get-nats.sh' : false;

/** How a server is made. */
export interface NatsOptions {
  /** A folder of the test's own; the server writes nowhere else. */
  readonly folder: string;
  /** More lines of its configuration: accounts, keys, a cluster. */
  readonly config?: string;
  /** The port on loopback; by default one that is free, which the server chooses. */
  readonly port?: number;
}

/** A real nats-server with JetStream on loopback. It ends with the test. */
export class NatsServer implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
  }

  /** Starts one, and waits until it answers. */
  static async start({ folder, config = '', port = -1 }: NatsOptions): Promise<NatsServer> {
    const path = natsServer();
    if (path === null) throw new Error('there is no nats-server: run scripts/get-nats.sh');
    const ports = join(folder, 'ports');
    mkdirSync(ports, { recursive: true });
    const store = JSON.stringify(join(folder, 'jetstream'));
    const file = join(folder, 'nats.conf');
    const lines = [
      `listen: "127.0.0.1:${port}"`,
      `ports_file_dir: ${JSON.stringify(ports)}`,
      `jetstream { store_dir: ${store}, sync_interval: always }`,
      config,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = spawn(path, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000);
    });
    let found = 0;
    await waitFor(() => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`nats-server ended:\n${said}`);
      const name = existsSync(ports)
        ? readdirSync(ports).find((one) => one.includes(`_${child.pid}.`))
        : undefined;
      const text = name === undefined ? '' : readFileSync(join(ports, name), 'utf8');
      found = Number(/(?:nats|tls):\/\/[^:"]+:(\d+)/.exec(text)?.[1] ?? 0);
      return found > 0 && said.includes('Server is ready');
    }, 'nats-server to listen');
    return new NatsServer(child, found);
  }

  /** Stops its process for a while, as a machine that is asleep. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Lets it go on. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it without a word. What it has stored stays in its folder. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGKILL');
      await ended;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandLine } from './command-line.ts';
import { livePids } from './processes.ts';
import { waitFor } from './world.ts';

const sshd = '/usr/sbin/sshd';

/** How another machine is made. */
export interface MachineOptions {
  /** Variables of its shells, beside those of a test. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether ssh knows its key. */
  readonly known?: boolean;
  /** More lines of the configuration of ssh. */
  readonly config?: string;
}

/**
 * Another machine: an sshd of the test's own on loopback, with its own keys and configuration, as an ordinary process. What
 * runs there has a store and a home of its own.
 */
export class OtherMachine extends CommandLine {
  readonly #server: ChildProcess;
  readonly port: number;
  /** Of the user on that machine. */
  readonly user = userInfo().username;

  private constructor(port: number, { env = {}, known = true, config = '' }: MachineOptions) {
    super();
    this.port = port;
    // The program is found where npm would put it.
    const bin = join(this.base, '.local', 'bin');
    mkdirSync(bin, { recursive: true });
    symlinkSync(this.path, join(bin, 'outlive'));
    for (const name of ['host', 'user']) this.#makeKey(name);
    const { NODE_OPTIONS = '', ...own } = this.environment(env);
    const PATH = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
    const set = Object.entries({ ...own, NODE_OPTIONS, PATH, ...env })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `"${name}=${String(value).replaceAll('"', '\\"')}"`);
    const lines = [
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${join(this.base, 'host')}`],
      ...[`AuthorizedKeysFile ${join(this.base, 'user.pub')}`, 'PidFile none', 'UsePAM no'],
      ...['StrictModes no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
      ...['UseDNS no', 'PrintMotd no', `SetEnv ${set.join(' ')}`],
    ];
    writeFileSync(join(this.base, 'sshd.conf'), `${lines.join('\n')}\n`);
    if (known) this.know('host');
    const client = [
      ...[`IdentityFile ${join(this.base, 'user')}`, 'IdentitiesOnly yes', 'IdentityAgent none'],
      ...[`UserKnownHostsFile ${join(this.base, 'known')}`, 'GlobalKnownHostsFile none', config],
    ];
    writeFileSync(join(this.base, 'ssh.conf'), `${client.join('\n')}\n`);
    chmodSync(join(this.base, 'user'), 0o600);
    this.#server = spawn(sshd, ['-D', '-e', '-f', join(this.base, 'sshd.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  /** Starts it; it listens when this resolves. */
  static async start(options: MachineOptions = {}): Promise<OtherMachine> {
    // sshd of root looks for it, whatever it is told. Packages of servers make it at the start of the system.
    if (process.getuid?.() === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
    for (let attempt = 0; ; attempt += 1) {
      const machine = new OtherMachine(await freePort(), options);
      if ((await machine.#listens()) || attempt === 3) return machine;
      await machine[Symbol.asyncDispose]();
    }
  }

  async #listens(): Promise<boolean> {
    let said = '';
    this.#server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await waitFor(
      () => said.includes('Server listening') || this.#server.exitCode !== null,
      'sshd to listen',
    );
    return this.#server.exitCode === null;
  }

  /** Has ssh know a key as that of this machine. */
  know(name: 'host' | 'other'): void {
    if (!existsSync(join(this.base, name))) this.#makeKey(name);
    const key = readFileSync(join(this.base, `${name}.pub`), 'utf8');
    writeFileSync(join(this.base, 'known'), `[127.0.0.1]:${this.port} ${key}`);
  }

  #makeKey(name: string): void {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(this.base, name)]);
  }

  /** Its address. */
  get url(): string {
    return `ssh://${this.user}@127.0.0.1:${this.port}`;
  }

  /** The address as it is shown. */
  get shown(): string {
    return this.url.slice('ssh://'.length);
  }

  /** Variables with which a command line reaches it. */
  reach(more: string = ''): NodeJS.ProcessEnv {
    return { OUTLIVE_SSH: `ssh -F ${join(this.base, 'ssh.conf')} ${more}`, OUTLIVE_HOST: this.url };
  }

  /** The processes of the server that have the connections. */
  connections(): number[] {
    const parents = [this.#server.pid];
    return livePids().filter((pid) => {
      const isOurs = parents.includes(parentOf(pid));
      if (isOurs) parents.push(pid);
      return isOurs && isSshd(pid);
    });
  }

  /** Breaks all connections, as when a cable is cut at the server. */
  cut(): void {
    for (const pid of this.connections()) process.kill(pid, 'SIGKILL');
  }

  /** Keeps all connections from answering. */
  pause(): void {
    for (const pid of this.connections()) process.kill(pid, 'SIGSTOP');
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.kill('SIGKILL');
    await waitFor(() => this.#server.exitCode !== null || this.#server.signalCode !== null, 'sshd to end');
    await super[Symbol.asyncDispose]();
  }
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function isSshd(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('sshd');
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

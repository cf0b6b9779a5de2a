import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { isLive, quote, type World, waitFor } from './world.ts';

/** Who runs what refuses to run as root. */
const nobody = 65_534;

/** A server that leaves its starter: as a command that ends when the server is up, and how its pid is told. */
export interface Daemon {
  readonly name: string;
  readonly command: string;
  /** The pid of the server; 0 while there is none. */
  readonly pid: () => number;
}

/** The server and what it has started, once it is up. */
export async function processesOf({ name, pid }: Daemon): Promise<number[]> {
  const all = (): number[] => (pid() === 0 ? [] : [pid(), ...childrenOf(pid())]);
  // What comes before its worker is there nginx forgets.
  await waitFor(() => all().length > (name === 'redis-server' ? 0 : 1), `${name} to be up`);
  return all();
}

/** redis-server: it takes a session of its own and writes over its environment and its arguments. */
export function redis(world: World): Daemon {
  const base = folder(world, 'redis');
  const options = ['--port', '0', '--unixsocket', `${base}/socket`, '--dir', base, '--save', ''];
  const words = ['redis-server', ...options, '--daemonize', 'yes', '--pidfile', `${base}/pid`];
  return daemon('redis-server', `${words.map(quote).join(' ')} >/dev/null`, base);
}

/** nginx: a master that is handed on twice, and a worker that writes over its arguments. */
export function nginx(world: World): Daemon {
  const base = folder(world, 'nginx');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((name) => `${name}_temp_path ${base}/${name};`).join(' ');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    `${base}/conf`,
    `${user} daemon on; pid ${base}/pid; error_log ${base}/log; worker_processes 1; events {}
    http { access_log off; ${paths} server { listen unix:${base}/socket; } }`,
  );
  return daemon(
    'nginx',
    `nginx -p ${quote(base)} -c ${quote(`${base}/conf`)} -e ${quote(`${base}/log`)}`,
    base,
  );
}

/** PostgreSQL, started by pg_ctl as another user: half a dozen processes, each in a session of its own. */
export function postgres(world: World): Daemon {
  const base = folder(world, 'postgres');
  const [version = ''] = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
  const programs = `/usr/lib/postgresql/${version}/bin`;
  const isRoot = process.getuid?.() === 0;
  // What it leaves of shared memory when it is killed goes with the namespace.
  const as = isRoot
    ? ['unshare', '--ipc', 'setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
    : [];
  if (isRoot) {
    chmodSync(world.base, 0o711);
    chownSync(base, nobody, nobody);
  }
  const data = `${base}/data`;
  const make = [...as, `${programs}/initdb`, '-D', data, '-A', 'trust', '--no-locale', '--no-sync'];
  execFileSync(make[0] ?? '', make.slice(1), { cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
  const options = `-c listen_addresses= -c fsync=off -k ${base}`;
  const start = [...as, `${programs}/pg_ctl`, '-D', data, '-l', `${base}/log`, '-o', options, '-w', 'start'];
  return daemon(
    'postgres',
    `cd / && ${start.map(quote).join(' ')} >/dev/null`,
    base,
    `${data}/postmaster.pid`,
  );
}

function folder(world: World, name: string): string {
  const base = `${world.base}/${name}`;
  mkdirSync(base);
  return base;
}

function daemon(name: string, command: string, base: string, pidFile = `${base}/pid`): Daemon {
  const pid = (): number =>
    existsSync(pidFile) ? Number.parseInt(readFileSync(pidFile, 'utf8'), 10) || 0 : 0;
  return { name, command, pid };
}

/** Ends a daemon that a test has not got rid of, with what it has started: it shows nobody whose it is. */
export function endForSure({ pid }: Daemon): void {
  const server = pid();
  if (server === 0 || !isLive(server)) return;
  for (const one of [...childrenOf(server), server]) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
}

/** The direct children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

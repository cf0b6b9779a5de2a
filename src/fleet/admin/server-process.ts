import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { OutliveError, shown } from '../../errors/error.ts';
import { after } from '../../util/wait.ts';
import { checkServerVersion } from '../bus/packages.ts';
import { type FleetFile, type FleetFolder, fleetFiles } from './folder.ts';

/** How long a server may take to read what it has stored. */
const readyMs = 60_000;

/** How long a server may take to end when it is asked to. */
const endMs = 10_000;

/** So much of what a server says last is kept, for the message of an error. */
const keptChars = 4_000;

/** A nats-server that this process has started. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended, with what it said last. */
  readonly ended: Promise<string>;
}

/**
 * Starts a nats-server with the configuration that `initFleet` has written, and waits until it takes connections. It is
 * in a process group of its own, so that Ctrl-C does not end it: the process that started it does.
 * @param program its path; by default the one in PATH.
 * @param config which of three servers: the first by default.
 * @throws OutliveError `FLEET_PACKAGES` when there is none or it is too old, `FLEET_CREDENTIALS` when there is no
 * configuration, `FLEET_UNREACHABLE` when it does not start.
 */
export async function startServer(
  folder: FleetFolder,
  program = 'nats-server',
  config: FleetFile = fleetFiles.config,
): Promise<ServerProcess> {
  // It reads the file by itself: this looks that nobody else could have written it.
  if (folder.read(config) === null)
    throw new OutliveError(
      'FLEET_CREDENTIALS',
      `expected the configuration of a server in ${folder.path}; found none. Create a fleet first: outlive fleet init.`,
      { details: { path: folder.pathOf(config) } },
    );
  checkServerVersion(versionOf(program));
  const child = spawn(program, ['-c', folder.pathOf(config)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const log = new Tail(child);
  const ended = once(child, 'close').then(() => log.text);
  try {
    await ready(log, ended);
  } catch (error) {
    await end(child, ended);
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    ended,
    [Symbol.asyncDispose]: async () => await end(child, ended),
  };
}

function versionOf(program: string): string {
  const { stdout, error } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: readyMs });
  if (error === undefined) return stdout;
  throw new OutliveError(
    'FLEET_PACKAGES',
    `expected nats-server at ${shown(program)}; found ${error.message}. Install it, or name it with --nats.`,
    { cause: error },
  );
}

/** What a child says on stderr: its end, and whether it has said that it is ready. */
class Tail {
  text = '';
  readonly said: Promise<void>;

  constructor({ stderr }: ChildProcess) {
    this.said = new Promise((resolve) => {
      stderr?.setEncoding('utf8').on('data', (more: string) => {
        this.text = (this.text + more).slice(-keptChars);
        if (this.text.includes('Server is ready')) resolve();
      });
    });
  }
}

async function ready(log: Tail, ended: Promise<string>): Promise<void> {
  let timer: { cancel(): void } | undefined;
  const late = new Promise<string>((resolve) => {
    timer = after(readyMs, () => resolve('silence for a minute'));
  });
  const why = await Promise.race([log.said.then(() => null), ended, late]);
  timer?.cancel();
  if (why === null) return;
  const lines = why.trim().split('\n');
  // Of a log with times and levels, what is wrong.
  const wrong = lines.findLast((line) => /\[FTL\]|\[ERR\]|nats-server:/.test(line)) ?? lines.at(-1) ?? '';
  throw new OutliveError(
    'FLEET_UNREACHABLE',
    `expected nats-server to start; found that it ended: ${wrong.replace(/^.*\[(?:FTL|ERR)\] /, '') || 'it printed nothing'}. If another server already listens there, stop it, or use it with --elsewhere.`,
  );
}

async function end(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = after(endMs, () => child.kill('SIGKILL'));
  await ended;
  timer.cancel();
}

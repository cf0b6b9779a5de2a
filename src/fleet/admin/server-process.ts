import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { OutliveError, shown } from '../../errors/error.ts';
import { after } from '../../util/wait.ts';
import { checkServerVersion } from '../bus/packages.ts';
import { type FleetFile, type FleetFolder, fleetFiles } from './folder.ts';

/** How long a server may take to read its stored data and to be ready. */
const readyMs = 60_000;

/** How long a server may take to end after SIGTERM. */
const endMs = 10_000;

/** How many of the last characters that a server prints are kept, for an error. */
const keptChars = 4_000;

/** A nats-server that this process has started. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has ended, with the last text that it printed. */
  readonly ended: Promise<string>;
}

/**
 * Starts a nats-server with the configuration that `initFleet` has written, and waits until it takes connections. It
 * has its own process group, so that Ctrl-C does not end it. The process that started it ends it.
 * @param program the path of nats-server; by default the one in PATH.
 * @param config the configuration of one of three servers; by default the first.
 * @throws OutliveError `FLEET_PACKAGES` if nats-server is missing or too old, `FLEET_CREDENTIALS` if there is no
 * configuration, `FLEET_UNREACHABLE` if it does not start.
 */
export async function startServer(
  folder: FleetFolder,
  program = 'nats-server',
  config: FleetFile = fleetFiles.config,
): Promise<ServerProcess> {
  // nats-server reads the file itself. This only checks that nobody else could have written it.
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

/** The end of what a child prints on stderr, and whether it has said that it is ready. */
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
    timer = after(readyMs, () => resolve('it was not ready after a minute'));
  });
  const why = await Promise.race([log.said.then(() => null), ended, late]);
  timer?.cancel();
  if (why === null) return;
  const lines = why.trim().split('\n');
  // The line of the log that says what is wrong, without its time and level.
  const wrong = lines.findLast((line) => /\[FTL\]|\[ERR\]|nats-server:/.test(line)) ?? lines.at(-1) ?? '';
  throw new OutliveError(
    'FLEET_UNREACHABLE',
    `expected nats-server to start; found that it failed: ${wrong.replace(/^.*\[(?:FTL|ERR)\] /, '') || 'it printed nothing'}. If another server already listens there, stop it, or use it with --elsewhere.`,
  );
}

async function end(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = after(endMs, () => child.kill('SIGKILL'));
  await ended;
  timer.cancel();
}

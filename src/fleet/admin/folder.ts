import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { isSystemError, OutliveError, shown, systemCode } from '../../errors/error.ts';
import { homeFolder } from '../../platform/home-folder.ts';
import { ownFolder } from '../../platform/own-folder.ts';
import { randomHex } from '../../util/crypto.ts';

/** The names of the files in the folder. No text from outside is ever part of a path. */
export const fleetFiles = {
  operator: 'operator.json',
  coordinator: 'coordinator.json',
  client: 'client.json',
  host: 'host.json',
  authority: 'authority.pem',
  authorityKey: 'authority.key.pem',
  server: 'server.pem',
  serverKey: 'server.key.pem',
  config: 'nats.conf',
  config2: 'nats-2.conf',
  config3: 'nats-3.conf',
} as const;

/** One of the files of the folder. */
export type FleetFile = (typeof fleetFiles)[keyof typeof fleetFiles];

/** The largest file that outlive reads here. */
const mostBytes = 1024 * 1024;

/** Where the keys of a user's fleet are: `$XDG_CONFIG_HOME/outlive/fleet`, else ~/.config/outlive/fleet. */
export function defaultFleetFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const config = environment.XDG_CONFIG_HOME;
  return join(config && isAbsolute(config) ? config : join(homeFolder(), '.config'), 'outlive', 'fleet');
}

/**
 * Whether this machine has the credential of a client of a fleet. Servers and pages offer remote tasks only then. The first use
 * shows whether the credential is good.
 */
export function hasFleetClient(environment: NodeJS.ProcessEnv = process.env): boolean {
  return process.platform !== 'win32' && existsSync(join(defaultFleetFolder(environment), fleetFiles.client));
}

/** Where the servers of a fleet keep their data: `$XDG_STATE_HOME/outlive-fleet`, else ~/.local/state/outlive-fleet. */
export function defaultFleetData(environment: NodeJS.ProcessEnv = process.env): string {
  const state = environment.XDG_STATE_HOME;
  return join(state && isAbsolute(state) ? state : join(homeFolder(), '.local', 'state'), 'outlive-fleet');
}

/** The folder with the keys of a fleet. It and its files belong to this user alone, and none of them is a link. */
export class FleetFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Opens the folder, and creates it if it is missing.
   * @param path absolute.
   * @throws OutliveError `FLEET_CREDENTIALS` if others could read or replace its files, or if it cannot be created;
   * `UNSUPPORTED_PLATFORM` on Windows.
   */
  static open(path: string = defaultFleetFolder()): FleetFolder {
    const refuse = (found: string, cause?: unknown) =>
      new OutliveError(
        'FLEET_CREDENTIALS',
        `expected a folder for the keys of the fleet at ${path}, which this user alone can read and change; found ${found}. Check the owners and modes of the folders above it.`,
        { cause, details: { path } },
      );
    if (process.platform === 'win32')
      throw new OutliveError(
        'UNSUPPORTED_PLATFORM',
        'expected Linux or macOS, on which a fleet runs; found Windows. On Windows outlive works for this machine, and for others over ssh.',
      );
    if (!isAbsolute(path)) throw refuse('a path that is not absolute');
    try {
      mkdirSync(dirname(dirname(path)), { recursive: true, mode: 0o700 });
      const real = ownFolder(path);
      if (real !== null) return new FleetFolder(real);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw refuse((error as Error).message, error);
    }
    throw refuse('one that others may change, or a link');
  }

  /** The path of a file, for another program that reads it. */
  pathOf(file: FleetFile): string {
    return join(this.path, file);
  }

  has(file: FleetFile): boolean {
    return lstatSync(this.pathOf(file), { throwIfNoEntry: false }) !== undefined;
  }

  /**
   * The text of a file; `null`: there is none.
   * @throws OutliveError `FLEET_CREDENTIALS` if others could have read or changed it, or if it is a link.
   */
  read(file: FleetFile): string | null {
    const path = this.pathOf(file);
    let descriptor: number;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      if (isSystemError(error)) throw unsafe(path, (error as Error).message, error);
      throw error;
    }
    try {
      const stat = fstatSync(descriptor);
      if (!stat.isFile()) throw unsafe(path, 'something other than a file');
      if (stat.uid !== process.geteuid?.()) throw unsafe(path, 'a file of another user');
      if ((stat.mode & 0o077) !== 0)
        throw unsafe(path, `one with the mode ${shown((stat.mode & 0o777).toString(8))}`);
      if (stat.size > mostBytes) throw unsafe(path, `${stat.size} bytes`);
      return readFileSync(descriptor, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  }

  /** Writes a file completely or not at all, and waits until it is on the disk. */
  write(file: FleetFile, text: string): void {
    const path = this.pathOf(file);
    const draft = `${path}.${randomHex(8)}.draft`;
    try {
      const descriptor = openSync(draft, 'wx', 0o600);
      try {
        writeFileSync(descriptor, text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      if (isSystemError(error)) throw unsafe(path, (error as Error).message, error);
      throw error;
    }
  }
}

function unsafe(path: string, found: string, cause?: unknown): OutliveError {
  return new OutliveError(
    'FLEET_CREDENTIALS',
    `expected ${path} to be a file of this user that nobody else can read (mode 600), and no link; found ${found}.`,
    { cause, details: { path } },
  );
}

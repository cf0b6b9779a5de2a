import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { isSystemError, OutliveError, systemCode } from '../../errors/error.ts';
import { homeFolder } from '../../platform/home-folder.ts';
import { readSmall, writeWhole } from '../../tasklog/files.ts';
import { isOwnUnit, type UnitOptions, unitName, unitText } from './unit.ts';

/** A service manager that does not answer for this long counts as absent, in milliseconds. */
const answerMs = 10_000;

/** A unit of outlive is smaller than this. */
const mostBytes = 1024 * 1024;

/** Makes the service manager read its files again. */
const reload = ['systemctl', '--user', 'daemon-reload'];

/** The result of a change of the unit. */
export interface UnitChange {
  /** The file of the unit. */
  readonly path: string;
  /** Why the user's service manager failed; `null`: it did not. */
  readonly failed: string | null;
  /** Commands that are left for the user to run. */
  readonly left: readonly (readonly string[])[];
}

/**
 * Writes the unit of the host agent, replaces an earlier one, and makes the user's service manager start it, now and at
 * each boot. If no manager answers, the user must run the commands.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` without systemd; `CONFIG_UNUSABLE` if outlive did not write the file that
 *   is there, or cannot write it.
 */
export async function installUnit(options: UnitOptions): Promise<UnitChange> {
  checkPlatform();
  const text = unitText(options);
  const path = unitPath();
  checkOwn(path);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeWhole(path, text);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unusable(path, (error as Error).message, error);
  }
  const { left, failed } = await runAll([
    reload,
    ['systemctl', '--user', 'enable', unitName],
    // An agent that runs already takes the new file.
    ['systemctl', '--user', 'restart', unitName],
  ]);
  // Otherwise the user's service manager ends at the last logout, and with it the agent and all tasks.
  const lingers = existsSync(join('/var/lib/systemd/linger', userInfo().username));
  const linger = lingers ? [] : (await runAll([['loginctl', 'enable-linger']])).left;
  return { path, failed, left: [...left, ...linger] };
}

/**
 * Ends the agent that the unit runs, and removes the unit. Tasks continue.
 * @throws OutliveError like {@link installUnit}.
 */
export async function removeUnit(): Promise<UnitChange> {
  checkPlatform();
  const path = unitPath();
  checkOwn(path);
  if (!existsSync(path)) return { path, failed: null, left: [] };
  const { left, failed } = await runAll([['systemctl', '--user', 'disable', '--now', unitName]]);
  // The file stays while the manager has the unit.
  if (failed !== null) return { path, failed, left: [...left, ['rm', path], reload] };
  rmSync(path, { force: true });
  return { path, ...(await runAll([reload])) };
}

function unitPath(): string {
  const config = process.env.XDG_CONFIG_HOME;
  const base = config !== undefined && isAbsolute(config) ? config : join(homeFolder(), '.config');
  return join(base, 'systemd', 'user', unitName);
}

function checkPlatform(): void {
  if (process.platform === 'darwin')
    throw new OutliveError(
      'UNSUPPORTED_PLATFORM',
      'expected Linux with systemd for --service; found macOS. Start outlive fleet join from a LaunchAgent with KeepAlive and AbandonProcessGroup, so that tasks continue when it ends.',
    );
  const folders = (process.env.PATH ?? '').split(':').filter(isAbsolute);
  if (process.platform === 'linux' && folders.some((folder) => existsSync(join(folder, 'systemctl')))) return;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected Linux with systemd for --service; found no systemctl. Start outlive fleet join with your service manager, set to stop only its own process.',
  );
}

/** Refuses a file that outlive did not write. */
function checkOwn(path: string): void {
  try {
    const text = readSmall(path, mostBytes);
    if (text !== null && isOwnUnit(text.toString('utf8'))) return;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    if (!isSystemError(error)) throw error;
    throw unusable(path, (error as Error).message, error);
  }
  throw unusable(path, 'one that outlive did not write');
}

function unusable(path: string, found: string, cause?: unknown): OutliveError {
  return new OutliveError(
    'CONFIG_UNUSABLE',
    `expected ${path} to be a unit that outlive may write; found ${found}. Move it away.`,
    { cause, details: { path } },
  );
}

/** Runs commands one after the other. Leaves the first that fails, and all after it. */
async function runAll(
  commands: readonly (readonly string[])[],
): Promise<Pick<UnitChange, 'failed' | 'left'>> {
  for (const [at, [program = '', ...words]] of commands.entries()) {
    const failed = await failureOf(program, words);
    if (failed !== null) return { failed, left: commands.slice(at) };
  }
  return { failed: null, left: [] };
}

/** The error message of a command that failed; `null`: it did not fail. */
async function failureOf(program: string, words: readonly string[]): Promise<string | null> {
  return await new Promise((resolve) => {
    execFile(program, words, { timeout: answerMs }, (error, _stdout, stderr) =>
      resolve(error === null ? null : stderr.trim().split('\n')[0] || error.message),
    );
  });
}

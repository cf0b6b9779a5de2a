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

/** A unit of ours has less. */
const mostBytes = 1024 * 1024;

/** Has the manager read its files anew. */
const reload = ['systemctl', '--user', 'daemon-reload'];

/** What was done about the unit. */
export interface UnitChange {
  /** The file of the unit. */
  readonly path: string;
  /** Why the user's service manager has not done its part; `null`: it has. */
  readonly failed: string | null;
  /** Commands that are left for the user to run. */
  readonly left: readonly (readonly string[])[];
}

/**
 * Writes the unit of the host agent, in the place of an earlier one, and has the user's service manager start it, now and at each
 * boot. Where no manager answers, the commands are left to the user.
 * @throws OutliveError `UNSUPPORTED_PLATFORM` without systemd; `CONFIG_UNUSABLE` where the file is somebody else's, or cannot be
 *   written.
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
    // One that runs already takes the new file.
    ['systemctl', '--user', 'restart', unitName],
  ]);
  // Else the service manager of the user ends with the last login, and with it the agent and all tasks.
  const lingers = existsSync(join('/var/lib/systemd/linger', userInfo().username));
  const linger = lingers ? [] : (await runAll([['loginctl', 'enable-linger']])).left;
  return { path, failed, left: [...left, ...linger] };
}

/**
 * Ends the agent that the unit runs, and removes the unit. Tasks go on.
 * @throws OutliveError as {@link installUnit}.
 */
export async function removeUnit(): Promise<UnitChange> {
  checkPlatform();
  const path = unitPath();
  checkOwn(path);
  if (!existsSync(path)) return { path, failed: null, left: [] };
  const { left, failed } = await runAll([['systemctl', '--user', 'disable', '--now', unitName]]);
  // As long as the manager has the unit, its file stays.
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
      'expected Linux with systemd for --service; found macOS. Start outlive fleet join from a LaunchAgent with KeepAlive and AbandonProcessGroup, so that tasks go on when it ends.',
    );
  const folders = (process.env.PATH ?? '').split(':').filter(isAbsolute);
  if (process.platform === 'linux' && folders.some((folder) => existsSync(join(folder, 'systemctl')))) return;
  throw new OutliveError(
    'UNSUPPORTED_PLATFORM',
    'expected Linux with systemd for --service; found no systemctl. Start outlive fleet join with your service manager, set to stop only its own process.',
  );
}

/** What somebody else has written stays. */
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

/** Runs commands, each after the one before. From the first that fails on, they are left. */
async function runAll(
  commands: readonly (readonly string[])[],
): Promise<Pick<UnitChange, 'failed' | 'left'>> {
  for (const [at, [program = '', ...words]] of commands.entries()) {
    const failed = await failureOf(program, words);
    if (failed !== null) return { failed, left: commands.slice(at) };
  }
  return { failed: null, left: [] };
}

/** What a command has said when it failed; `null`: it did not. */
async function failureOf(program: string, words: readonly string[]): Promise<string | null> {
  return await new Promise((resolve) => {
    execFile(program, words, { timeout: answerMs }, (error, _stdout, stderr) =>
      resolve(error === null ? null : stderr.trim().split('\n')[0] || error.message),
    );
  });
}

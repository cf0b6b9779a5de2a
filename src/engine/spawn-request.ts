import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { shown } from '../errors/error.ts';
import type { ResourceLimits } from '../model/held-limits.ts';
import { bounds, defaults } from '../model/limits.ts';
import { type LeftoversPolicy, leftoversPolicies, type OnLimit, onLimits } from '../model/words.ts';
import { findShell } from '../platform/shells.ts';
import { cookieVariable } from '../platform/system.ts';
import { unbuffered as unbufferedRun } from '../platform/unbuffered.ts';
import { isShare, longestWindowsPath } from '../platform/windows-paths.ts';
import { shellKind } from '../platform/windows-shells.ts';
import { checkBytes, checkNumber, checkText, fail, invalid } from './checks.ts';
import { checkResources, type ResourceOptions } from './resource-request.ts';

/** What a caller may say about a task when spawning it. */
export interface SpawnOptions extends ResourceOptions {
  /** Working directory. @default the current one */
  readonly cwd?: string;
  /** Variables to add to this process's environment; `null` or `undefined` removes one. Values are never stored. */
  readonly env?: Readonly<Record<string, string | null | undefined>>;
  /** A name for people, up to 256 bytes; need not be unique. */
  readonly name?: string;
  /** Free texts of the caller's: up to 64, keys and values up to 1 KiB each. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The shell that runs the command: an absolute path or a name in PATH. @default bash where there is one, else sh */
  readonly shell?: string;
  /** Keep stderr in a file of its own instead of merging it in the order written. @default false */
  readonly separate?: boolean;
  /**
   * Have programs write line by line although they write to a file, where they can be told: Python, and what
   * uses C's own output, by `stdbuf`. Variables that you set stay as they are. @default false
   */
  readonly unbuffered?: boolean;
  /** The task is stopped after so many milliseconds; `null`: never. @default 30 minutes */
  readonly timeoutMs?: number | null;
  /** Between the first signal of a stop and SIGKILL, in milliseconds. @default 3000 */
  readonly graceMs?: number;
  /** What becomes of processes that are alive after the command ended. @default 'report' */
  readonly leftovers?: LeftoversPolicy;
  /** The task is stopped when its output exceeds so many bytes; `null`: never. @default 1 GiB */
  readonly maxOutputBytes?: number | null;
  /** Of ended output, so many bytes a stream are kept, head and tail; `null`: all. @default 100 MiB */
  readonly keepOutputBytes?: number | null;
  /**
   * When the session runs as many tasks as it may: `'reject'` refuses (`TASK_LIMIT`), `'queue'` has the task wait
   * its turn, first in, first out. @default 'reject'
   */
  readonly onLimit?: OnLimit;
  /**
   * Ends the task, whole, when that process is gone, or when `session.end()` is called: for a server that is
   * not to outlive its agent (`{ pid: process.pid }`). @default unbound
   */
  readonly bindTo?: BindTo;
}

/** What a task can be bound to: a process that lives now, or the life of its session. */
export type BindTo = 'session' | { readonly pid: number };

/** A request that was found valid, with every default filled in. */
export interface SpawnRequest {
  readonly command: string;
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Words in front of the shell. */
  readonly launcher: readonly string[];
  readonly shell: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly separate: boolean;
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  readonly leftovers: LeftoversPolicy;
  readonly maxOutputBytes: number | null;
  readonly keepOutputBytes: number | null;
  readonly onLimit: OnLimit;
  readonly bindTo: BindTo | null;
  readonly resources: ResourceLimits;
}

/**
 * Checks everything that can be checked before anything is touched.
 * @throws OutliveError `INVALID_COMMAND`, `INVALID_CWD`, `INVALID_ENV`, `SHELL_NOT_FOUND`, `INVALID_ARGUMENT`.
 */
export function checkSpawn(command: string, options: SpawnOptions): SpawnRequest {
  const {
    cwd = process.cwd(),
    env = {},
    labels = {},
    separate = false,
    unbuffered = false,
    timeoutMs = defaults.timeoutMs,
    graceMs = defaults.graceMs,
    leftovers = 'report',
    maxOutputBytes = defaults.maxOutputBytes,
    keepOutputBytes = defaults.keepOutputBytes,
    onLimit = 'reject',
  } = options;
  if (!leftoversPolicies.includes(leftovers)) invalid('leftovers', leftoversPolicies.join(', '), leftovers);
  if (!onLimits.includes(onLimit)) invalid('onLimit', onLimits.join(' or '), onLimit);
  if (typeof separate !== 'boolean') invalid('separate', 'true or false', separate);
  if (typeof unbuffered !== 'boolean') invalid('unbuffered', 'true or false', unbuffered);
  const environment = checkEnvironment(env);
  const shell = findShell(checkShell(options.shell), process.env.PATH);
  return {
    command: checkCommand(command),
    cwd: checkWindowsCwd(checkCwd(cwd), shell),
    ...(unbuffered ? unbufferedRun(environment, env) : { environment, launcher: [] }),
    shell,
    name: options.name === undefined ? null : checkText('name', options.name, bounds.nameBytes),
    labels: checkLabels(labels),
    separate,
    timeoutMs: timeoutMs === null ? null : checkNumber('timeoutMs', timeoutMs, 1, bounds.durationMs),
    graceMs: checkNumber('graceMs', graceMs, 0, bounds.durationMs),
    leftovers,
    maxOutputBytes: maxOutputBytes === null ? null : checkBytes('maxOutputBytes', maxOutputBytes, 1),
    keepOutputBytes: keepOutputBytes === null ? null : checkBytes('keepOutputBytes', keepOutputBytes, 1),
    onLimit,
    bindTo: options.bindTo === undefined ? null : checkBindTo(options.bindTo),
    resources: checkResources(options),
  };
}

function checkBindTo(bindTo: unknown): BindTo {
  if (bindTo === 'session') return 'session';
  const pid = typeof bindTo === 'object' && bindTo !== null && 'pid' in bindTo ? bindTo.pid : undefined;
  if (!Number.isSafeInteger(pid) || (pid as number) < 1)
    invalid('bindTo', "'session' or { pid } with the pid of a live process", bindTo);
  return { pid: pid as number };
}

function checkCommand(command: unknown): string {
  const found = typeof command !== 'string' ? typeof command : commandFault(command);
  if (typeof command === 'string' && found === null) return command;
  return fail(
    'INVALID_COMMAND',
    `expected a command: text of 1 to ${bounds.commandBytes} bytes without NUL characters; found ${found}. Put longer input into a file that the command reads.`,
  );
}

function commandFault(command: string): string | null {
  if (command.trim() === '') return 'an empty one';
  if (command.includes('\0')) return 'a NUL character';
  const bytes = Buffer.byteLength(command);
  return bytes > bounds.commandBytes ? `${bytes} bytes` : null;
}

function checkCwd(cwd: unknown): string {
  const path = typeof cwd === 'string' && cwd !== '' && !cwd.includes('\0') ? resolve(cwd) : null;
  let found = path === null ? shown(cwd, 4096) : 'nothing there';
  try {
    if (path !== null && statSync(path).isDirectory()) return path;
    if (path !== null) found = 'a file';
  } catch (error) {
    if (error instanceof Error && !error.message.startsWith('ENOENT')) found = error.message;
  }
  return fail(
    'INVALID_CWD',
    `expected the working directory ${shown(cwd, 4096)} to be a directory; found ${found}. Create it or name another one.`,
  );
}

/** Windows starts nothing in a longer folder, and cmd would go to another one than that of a share. */
function checkWindowsCwd(path: string, shell: string): string {
  if (process.platform === 'win32' && path.length > longestWindowsPath)
    fail(
      'INVALID_CWD',
      `expected the path of the working directory to have at most ${longestWindowsPath} characters on Windows; found ${path.length}. Use a folder further up.`,
    );
  if (isShare(path) && shellKind(shell) === 'cmd')
    fail(
      'INVALID_CWD',
      `expected a working directory on a drive, since cmd takes none of a network share; found ${shown(path, 4096)}. Give the share a drive letter (net use), or name another shell.`,
    );
  return path;
}

function checkEnvironment(env: SpawnOptions['env'] & object): NodeJS.ProcessEnv {
  if (typeof env !== 'object' || env === null || Array.isArray(env)) {
    fail('INVALID_ENV', `expected env to be an object of names and values; found ${typeof env}.`);
  }
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || /[=\0]/.test(name) || name === cookieVariable) {
      fail(
        'INVALID_ENV',
        `expected the name of an environment variable, not empty, without "=" and NUL, and not ${cookieVariable}; found ${JSON.stringify(name)}.`,
      );
    }
    if (value === null || value === undefined) removeVariable(environment, name);
    else if (typeof value === 'string' && !value.includes('\0')) environment[name] = value;
    // The value may be a secret: it is never repeated.
    else
      fail(
        'INVALID_ENV',
        `expected the value of ${name} to be text without NUL characters, or null to remove it; found ${typeof value === 'string' ? 'a NUL character' : typeof value}.`,
      );
  }
  return environment;
}

/** Windows does not tell upper from lower case in names. */
function removeVariable(environment: NodeJS.ProcessEnv, name: string): void {
  delete environment[name];
  if (process.platform !== 'win32') return;
  for (const key of Object.keys(environment))
    if (key.toUpperCase() === name.toUpperCase()) delete environment[key];
}

function checkShell(shell: unknown): string | undefined {
  if (shell !== undefined && typeof shell !== 'string') invalid('shell', 'a name or path', shell);
  return shell as string | undefined;
}

function checkLabels(labels: unknown): Readonly<Record<string, string>> {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    invalid('labels', 'an object of texts', labels);
  }
  const entries = Object.entries(labels as Record<string, unknown>);
  if (entries.length > bounds.labels) invalid('labels', `at most ${bounds.labels} of them`, entries.length);
  for (const [key, value] of entries) {
    checkText('labels', key, bounds.labelBytes);
    checkText(`labels.${key}`, value, bounds.labelBytes, 0);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import type { ResourceLimits } from '../../model/held-limits.ts';
import { bounds, defaults } from '../../model/limits.ts';
import type { Starter } from '../../model/starter.ts';
import type { WatchFact } from '../../model/watch-facts.ts';
import {
  type LeftoversPolicy,
  leftoversPolicies,
  type OnLimit,
  type OutputWay,
  onLimits,
  outputWays,
  type TerminalSize,
} from '../../model/words.ts';
import { unbuffered as unbufferedRun } from '../../platform/unbuffered.ts';
import type { AskedCommand } from '../../shim/shell-words.ts';
import { checkBytes, checkFlag, checkNumber, checkText, fail, invalid } from '../session/validate.ts';
import { checkAsked } from './command-request.ts';
import { checkCwd } from './cwd-request.ts';
import { checkResources, type ResourceOptions, resourceOptionNames } from './resource-request.ts';
import {
  checkEnvironment,
  type InheritedEnvironment,
  namesSaid,
  type SpawnEnvironment,
} from './spawn-environment.ts';
import { beInTerminal, type CheckedStdin, checkSize, checkStdin, type StdinOption } from './stdin-request.ts';

/**
 * What to run: a text is a command for a shell. A list is a program and its arguments, which run without a shell: each word
 * reaches the program as it is, so nothing in it has to be quoted. The program is a path, or a name in the PATH of the
 * command.
 */
export type Command = string | readonly string[];

/** What a caller may say about a task when spawning it. */
export interface SpawnOptions extends ResourceOptions {
  /** Working directory. @default the current one */
  readonly cwd?: string;
  /** Variables to add to this process's environment; `null` or `undefined` removes one. Values are never stored. */
  readonly env?: Readonly<Record<string, string | null | undefined>>;
  /**
   * A name for people, up to 256 bytes. Within a session one task that has not ended has a name: see `replace`. @default none
   */
  readonly name?: string;
  /**
   * What happens when a task of the session has the name and has not ended: `false` refuses (`NAME_TAKEN`), `true` stops it,
   * whole, and takes its place. What can be refused is refused before that. @default false
   */
  readonly replace?: boolean;
  /** Free texts of the caller's: up to 64, keys and values up to 1 KiB each. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The shell that runs a text: an absolute path or a name in PATH. Not with a list. @default bash where there is one, else sh */
  readonly shell?: string;
  /** Keep stderr in a file of its own instead of merging it in the order written. @default false */
  readonly separate?: boolean;
  /**
   * `'file'`: the command writes straight to its file, which nothing slows down and nobody can break; but what opens it
   * anew, such as `echo x > /dev/stderr`, erases what was there, which may go unnoticed. `'pipe'`: the command writes
   * into a pipe, and a small process carries everything to the file; nothing is erased, and `maxOutputBytes` is exact.
   * @default 'file'
   */
  readonly output?: OutputWay;
  /**
   * What the command reads. `'none'`: nothing. `{ data }`: that, whole, and then the end. `'inherit'`: descriptor 0 of this
   * process becomes its own; of a pipe that brings nothing within 100 ms it gets nothing (`stdin: 'silent'` in the
   * snapshot). `'open'`: what `task.send()` sends while it runs. `'inherit-open'`: what descriptor 0 of this process
   * brings, then what is sent. Data may have up to 16 MiB. @default 'none', with a `tty` 'open'
   */
  readonly stdin?: StdinOption;
  /** The command has a terminal of that size, 1 to 1000 each: stdin, stdout and stderr are that. @default none */
  readonly tty?: TerminalSize;
  /**
   * Have programs write line by line although they write to a file, where they can be told: Python, and what
   * uses C's own output, by `stdbuf`. Variables that you set stay as they are. @default false
   */
  readonly unbuffered?: boolean;
  /** outlive stops the task after this many milliseconds; `null`: never. @default 30 minutes */
  readonly timeoutMs?: number | null;
  /** Between the first signal of a stop and SIGKILL, in milliseconds. @default 3000 */
  readonly graceMs?: number;
  /** What becomes of processes that are alive after the command ended. @default 'report' */
  readonly leftovers?: LeftoversPolicy;
  /** outlive stops the task when its output exceeds this many bytes; `null`: never. @default 1 GiB */
  readonly maxOutputBytes?: number | null;
  /** How many bytes of each stream outlive keeps after the end, head and tail; `null`: all. @default 100 MiB */
  readonly keepOutputBytes?: number | null;
  /**
   * When the session runs as many tasks as it may: `'reject'` refuses (`TASK_LIMIT`), `'queue'` has the task wait
   * its turn, first in, first out. @default 'reject'
   */
  readonly onLimit?: OnLimit;
  /**
   * The id of a task of the same session: this one waits until that has `completed`, and then its turn as with
   * `onLimit: 'queue'`. When that ended otherwise, this one ends as `failed`, reason `dependency_failed`, without
   * running. @default none
   */
  readonly after?: string;
  /**
   * What the task is for, in words of yours, up to 1 KiB: a session has at most one task for a key. When there is one
   * already, whichever process has spawned it, nothing is started and you get that one (`task.reused`), ended or not, and
   * whatever was asked for this time. A key is free again when its task was removed, or could not be started. @default none
   */
  readonly key?: string;
  /**
   * Ends the task, whole, when that process is gone, or when `session.end()` is called: for a server that is
   * not to outlive its agent (`{ pid: process.pid }`). @default unbound
   */
  readonly bindTo?: BindTo;
  /**
   * A command for `sh`, up to 4 KiB, that the shim runs once when the task has ended, whatever its end was. It has the
   * folder and the environment of the task's command, with `OUTLIVE_TASK_ID`, `OUTLIVE_STATUS` and `OUTLIVE_EXIT_CODE`, and a
   * minute. The shim keeps that environment in its memory until then. @default none
   */
  readonly onExit?: string;
}

/** The options of {@link SpawnOptions}. */
export const spawnOptionNames: OptionNames<SpawnOptions> = {
  ...resourceOptionNames,
  cwd: true,
  env: true,
  name: true,
  replace: true,
  labels: true,
  shell: true,
  separate: true,
  output: true,
  stdin: true,
  tty: true,
  unbuffered: true,
  timeoutMs: true,
  graceMs: true,
  leftovers: true,
  maxOutputBytes: true,
  keepOutputBytes: true,
  onLimit: true,
  after: true,
  key: true,
  bindTo: true,
  onExit: true,
};

/** What a task can be bound to: a process that lives now, or the life of its session. */
export type BindTo = 'session' | { readonly pid: number };

const boundProcessNames: OptionNames<Exclude<BindTo, string>> = { pid: true };

/** A request that was found valid, with every default filled in. */
export interface SpawnRequest extends SpawnEnvironment {
  readonly asked: AskedCommand;
  readonly cwd: string;
  /** Words in front of the shell or program. */
  readonly launcher: readonly string[];
  readonly name: string | null;
  /** A task that has the name is stopped. */
  readonly replace: boolean;
  /** The cookie of the task whose place it takes. */
  readonly replaces: string | null;
  /** What it is watched for, as the task before it was. */
  readonly watches: readonly WatchFact[];
  /** The task that was stopped for it, since that had its name. */
  readonly inPlaceOf: string | null;
  readonly unbuffered: boolean;
  /** How many tasks of the session may run; null: the limit of the session. */
  readonly maxRunning: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly separate: boolean;
  readonly output: OutputWay;
  readonly stdin: CheckedStdin;
  readonly tty: TerminalSize | null;
  readonly timeoutMs: number | null;
  readonly graceMs: number;
  readonly leftovers: LeftoversPolicy;
  readonly maxOutputBytes: number | null;
  readonly keepOutputBytes: number | null;
  readonly onLimit: OnLimit;
  readonly after: string | null;
  readonly key: string | null;
  readonly bindTo: BindTo | null;
  readonly onExit: string | null;
  readonly resources: ResourceLimits;
  /** Which client is told of the end; null: the one that has the session. */
  readonly starter: Starter | null;
}

/**
 * Checks everything that can be checked before anything is touched.
 * @param inherited what the command gets of variables, but for those of `env`. @default those of this process
 * @throws OutliveError `INVALID_COMMAND`, `INVALID_CWD`, `INVALID_ENV`, `SHELL_NOT_FOUND`, `INVALID_ARGUMENT`.
 */
export function checkSpawn(
  command: Command,
  options: SpawnOptions,
  inherited?: InheritedEnvironment,
): SpawnRequest {
  const {
    cwd,
    env = {},
    labels = {},
    replace = false,
    separate = false,
    output = 'file',
    unbuffered = false,
    timeoutMs = defaults.timeoutMs,
    graceMs = defaults.graceMs,
    leftovers = 'report',
    maxOutputBytes = defaults.maxOutputBytes,
    keepOutputBytes = defaults.keepOutputBytes,
    onLimit = 'reject',
  } = checkOptions('session.spawn()', options, spawnOptionNames);
  if (!leftoversPolicies.includes(leftovers)) invalid('leftovers', leftoversPolicies.join(', '), leftovers);
  if (!onLimits.includes(onLimit)) invalid('onLimit', onLimits.join(' or '), onLimit);
  checkFlag('separate', separate);
  checkFlag('replace', replace);
  if (replace && options.name === undefined) invalid('replace', 'false without a name', replace);
  if (!outputWays.includes(output)) invalid('output', outputWays.join(' or '), output);
  // What opens /dev/stderr there erases nothing; and there is no shim that could pump.
  if (output === 'pipe' && process.platform === 'win32') invalid('output', 'file on Windows', output);
  checkFlag('unbuffered', unbuffered);
  const tty = options.tty === undefined ? null : checkSize('tty', options.tty);
  const stdin = checkStdin(options.stdin, tty);
  if (tty !== null && separate)
    invalid('separate', 'false with a tty, which is stdout and stderr in one', separate);
  if (tty !== null && output === 'pipe') invalid('output', 'file with a tty, which the shim reads', output);
  const { environment, undecoded, setNames, unsetNames } = checkEnvironment(env, inherited);
  const said = { ...namesSaid(setNames, unsetNames), ...env };
  if (tty !== null) beInTerminal(environment, said);
  const asked = checkAsked(command, options.shell);
  return {
    asked,
    cwd: checkCwd(cwd, asked.shell),
    ...(unbuffered ? unbufferedRun(environment, said) : { environment, launcher: [] }),
    undecoded,
    setNames,
    unsetNames,
    unbuffered,
    replace,
    replaces: null,
    watches: [],
    inPlaceOf: null,
    maxRunning: null,
    name: options.name === undefined ? null : checkText('name', options.name, bounds.nameBytes),
    labels: checkLabels(labels),
    separate,
    output,
    stdin,
    tty,
    timeoutMs: timeoutMs === null ? null : checkNumber('timeoutMs', timeoutMs, 1, bounds.durationMs),
    graceMs: checkNumber('graceMs', graceMs, 0, bounds.durationMs),
    leftovers,
    maxOutputBytes: maxOutputBytes === null ? null : checkBytes('maxOutputBytes', maxOutputBytes, 1),
    keepOutputBytes: keepOutputBytes === null ? null : checkBytes('keepOutputBytes', keepOutputBytes, 1),
    onLimit,
    after: options.after === undefined ? null : checkText('after', options.after, bounds.nameBytes),
    key: options.key === undefined ? null : checkText('key', options.key, bounds.keyBytes),
    bindTo: options.bindTo === undefined ? null : checkBindTo(options.bindTo),
    onExit: options.onExit === undefined ? null : checkOnExit(options.onExit),
    resources: checkResources(options),
    starter: null,
  };
}

function checkOnExit(onExit: unknown): string {
  if (process.platform === 'win32')
    fail(
      'INVALID_ARGUMENT',
      'expected no onExit on Windows, where the shim runs only the command; found one. Wait for the end of the task, and run your command then.',
    );
  return checkText('onExit', onExit, bounds.onExitBytes);
}

function checkBindTo(bindTo: unknown): BindTo {
  if (bindTo === 'session') return 'session';
  const isProcess = typeof bindTo === 'object' && bindTo !== null && 'pid' in bindTo;
  const pid = isProcess ? checkOptions('bindTo', bindTo, boundProcessNames).pid : undefined;
  if (!Number.isSafeInteger(pid) || (pid as number) < 1)
    invalid('bindTo', "'session' or { pid } with the pid of a live process", bindTo);
  return { pid: pid as number };
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

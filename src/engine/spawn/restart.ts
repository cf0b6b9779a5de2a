import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { checkOptions, type OptionNames } from '../../errors/check-options.ts';
import { OutliveError, readFailed, taskNotFound } from '../../errors/error.ts';
import type { SpecFact } from '../../model/facts.ts';
import { bounds } from '../../model/limits.ts';
import { watchesAgain } from '../../model/watches.ts';
import { isAlive } from '../../platform/identity.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { holderOf, keyOfPlace } from '../../tasklog/keys.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { wordsOf } from '../../util/quote.ts';
import { acknowledge } from '../completions/acknowledge.ts';
import { elsewhere } from '../end/stop-errors.ts';
import type { SessionContext } from '../session/context.ts';
import { type Observed, observe } from '../session/observe.ts';
import { checkFlag, checkNumber } from '../session/validate.ts';
import { noteWatches } from '../watches/pattern-watches.ts';
import { checkNow } from './check-now.ts';
import { claimAndSpawn, type Spawned } from './claim-and-spawn.ts';
import { makeWay } from './make-way.ts';
import { inheritedAgain } from './restart-environment.ts';
import { checkEnvironment } from './spawn-environment.ts';
import { type Command, checkSpawn, type SpawnOptions, type SpawnRequest } from './spawn-request.ts';
import type { StdinOption } from './stdin-request.ts';

/** How to restart a task. */
export interface RestartOptions {
  /** Variables for the new task; `null` or `undefined` removes one. Values are never stored. */
  readonly env?: Readonly<Record<string, string | null | undefined>>;
  /** What the new task reads. @default the same; needed for a task that has read input from its spawner */
  readonly stdin?: StdinOption;
  /** Between the first signal of the stop and SIGKILL, in milliseconds. @default what was said at spawn */
  readonly graceMs?: number;
  /**
   * Whether the answer counts as the delivery of the completion of the old task, so that it is delivered nowhere else.
   * @default true
   */
  readonly ack?: boolean;
}

const restartOptionNames: OptionNames<RestartOptions> = { env: true, stdin: true, graceMs: true, ack: true };

/** The same, found valid. The spawn checks the rest. */
export interface RestartRequest {
  readonly env: Readonly<Record<string, string | null | undefined>>;
  readonly stdin: StdinOption | undefined;
  readonly graceMs: number | null;
  readonly ack: boolean;
}

/**
 * What is asked for.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function checkRestart(options: RestartOptions): RestartRequest {
  const {
    env = {},
    stdin,
    graceMs,
    ack = true,
  } = checkOptions('task.restart()', options, restartOptionNames);
  checkEnvironment(env);
  return {
    env,
    stdin,
    graceMs: graceMs === undefined ? null : checkNumber('graceMs', graceMs, 0, bounds.durationMs),
    ack: checkFlag('ack', ack),
  };
}

/**
 * Runs a task again, in a new task with the same options and name; one that has not ended is stopped first, whole. All that
 * can be refused is refused before that. A task is restarted once: later calls restart the one that has taken its place, and
 * of calls at the same time one starts a task, which all of them are given.
 *
 * A process that dies before it requests the stop has changed nothing. After that the old task ends as `killed`, reason
 * `replaced`, and that is pending until the new one has started.
 * @throws OutliveError as a spawn; `TASK_NOT_FOUND`, `TASK_ELSEWHERE`, `NOT_STOPPED`.
 */
export async function restartTask(
  context: SessionContext,
  taskId: string,
  asked: RestartRequest,
): Promise<Spawned> {
  const old = newest(context, taskId);
  const { spec } = old.observed.facts;
  if (spec === undefined) throw notRestartable(old.taskId, 'its record does not say what it ran');
  const request = await requestAgain(context, spec, old.observed, asked);
  const isLive = old.observed.decision.state === 'live';
  checkNow(context, request, isLive ? 1 : 0);
  await makeWay(context, old.taskId, asked.graceMs);
  // Once more, as it is at its end: somebody may have opened a watch meanwhile.
  const watches = watchesAgain(observe(context, old.taskId)?.facts.watches ?? [], Date.now());
  const spawned = await claimAndSpawn(context, { ...request, watches });
  const begun = observe(context, spawned.taskId);
  if (begun !== null) noteWatches(context, spawned.taskId, begun.facts);
  if (asked.ack) acknowledge(context, old.taskId);
  return { ...spawned, replaced: [old.taskId, ...spawned.replaced] };
}

/** The task, or the one that has taken its place, or the place of that. */
function newest(context: SessionContext, first: string): { taskId: string; observed: Observed } {
  // Somebody may have made a circle of claims by hand.
  const seen = new Set<string>();
  for (let taskId = first; ; ) {
    const observed = observe(context, taskId);
    if (observed === null) throw taskNotFound(context.sessionId, taskId);
    if (observed.away !== null) throw elsewhere(taskId, observed);
    const { spec } = observed.facts;
    const successor = spec === undefined ? null : holderOf(context.paths, keyOfPlace(spec.cookie));
    seen.add(taskId);
    if (successor === null || seen.has(successor.taskId) || !hasTakenIt(context, successor.taskId))
      return { taskId, observed };
    taskId = successor.taskId;
  }
}

/** Whether the task that claims a place has a record, and was not given up before it ran. */
function hasTakenIt(context: SessionContext, taskId: string): boolean {
  if (logPathOf(context.paths, taskId) === null) return false;
  const decision = observe(context, taskId)?.decision;
  const end =
    decision?.state === 'settle' ? decision.verdict : decision?.state === 'ended' ? decision.outcome : null;
  return decision !== undefined && end?.reason !== 'spawn_aborted';
}

async function requestAgain(
  context: SessionContext,
  spec: SpecFact,
  observed: Observed,
  asked: RestartRequest,
): Promise<SpawnRequest> {
  const inherited = await inheritedAgain(context, observed, asked.env);
  const request = checkSpawn(
    commandAgain(context, spec),
    { ...optionsOf(context, spec, observed, asked) },
    inherited,
  );
  return { ...request, replaces: spec.cookie, maxRunning: spec.queue?.maxRunning ?? null };
}

function optionsOf(
  context: SessionContext,
  spec: SpecFact,
  { facts }: Observed,
  { env, stdin }: RestartRequest,
): SpawnOptions {
  const { shell, name, labels, output, tty, unbuffered, after, onExit } = spec;
  const limits = Object.fromEntries((spec.limits ?? []).map(({ limit, value }) => [limit, value]));
  const input = stdin ?? stdinAgain(spec, facts.started?.stdin === 'silent');
  const bindTo = spec.bindTo === null ? undefined : bondAgain(context, spec);
  return {
    ...limits,
    env,
    cwd: spec.cwd,
    labels,
    separate: spec.separate,
    timeoutMs: spec.timeoutMs,
    graceMs: spec.graceMs,
    leftovers: spec.leftovers,
    maxOutputBytes: spec.maxOutputBytes,
    keepOutputBytes: spec.keepOutputBytes,
    onLimit: spec.queue === undefined ? 'reject' : 'queue',
    unbuffered: unbuffered === true,
    ...(shell !== null && { shell }),
    ...(name !== null && { name }),
    ...(output !== undefined && { output }),
    ...(tty !== undefined && { tty }),
    ...(input !== undefined && { stdin: input }),
    ...(bindTo !== undefined && { bindTo }),
    ...(onExit !== undefined && { onExit }),
    // One that has started has waited for the other task.
    ...(after !== undefined && facts.started === undefined && { after }),
  };
}

/** The command as it was asked for: the record has it, or the file beside the output. */
function commandAgain(context: SessionContext, { taskId, shell, command, commandInFile }: SpecFact): Command {
  if (shell !== null) return commandInFile ? fileOf(context, taskId) : command;
  const words = wordsOf(commandInFile ? (beginning(command) ?? '') : command);
  const [program] = words ?? [];
  if (words === null || program === undefined)
    throw notRestartable(taskId, 'its record does not say which program');
  return commandInFile ? [program, ...fileOf(context, taskId).split('\0').slice(0, -1)] : words;
}

/** The first word of a line whose rest may be cut. */
function beginning(line: string): string | null {
  return /^(?:'[^']*'|\\'|[^' \\])+(?= )/.exec(line)?.[0] ?? null;
}

function fileOf(context: SessionContext, taskId: string): string {
  const { command: path } = taskPaths(context.paths, taskId);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw readFailed(`the command of ${taskId} (${basename(path)})`, error);
  }
}

/** What is typed can be typed again; what was read once is gone. */
function stdinAgain({ taskId, stdin = 'none', tty }: SpecFact, wasSilent: boolean): SpawnOptions['stdin'] {
  if (tty !== undefined || stdin === 'none') return undefined;
  if (stdin === 'open' || stdin === 'inherit-open') return 'open';
  if (wasSilent) return undefined;
  throw notRestartable(
    taskId,
    'it read input from its spawner, which outlive did not keep. Give the input again',
  );
}

function bondAgain({ store }: SessionContext, { taskId, bindTo }: SpecFact): SpawnOptions['bindTo'] {
  if (bindTo === null || bindTo === 'session') return bindTo ?? undefined;
  if (isAlive(bindTo, store.system) === 'yes') return { pid: bindTo.pid };
  throw notRestartable(taskId, `the process to which it was bound (${bindTo.pid}) is gone`);
}

function notRestartable(taskId: string, found: string): OutliveError {
  return new OutliveError(
    'INVALID_ARGUMENT',
    `expected a task that outlive can run again; found for ${taskId} that ${found}. Or start the command anew.`,
  );
}

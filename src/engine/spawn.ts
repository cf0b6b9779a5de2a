import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, unlinkSync, writeFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';
import type { SpecFact } from '../model/facts.ts';
import { noFacts } from '../model/fold.ts';
import { bounds } from '../model/limits.ts';
import { now } from '../platform/clock.ts';
import { findBash } from '../platform/shells.ts';
import { cookieVariable } from '../platform/system.ts';
import { notingPipeStatus } from '../shim/pipe-status.ts';
import { posixShim } from '../shim/posix.ts';
import { createLog, createOutput, syncLog, writeSpec } from '../tasklog/log.ts';
import { type TaskPaths, taskPaths } from '../tasklog/paths.ts';
import { systemCode } from '../util/system-error.ts';
import { record } from './append.ts';
import type { LiveTask, SessionContext, SpawnAttempt } from './context.ts';
import { acknowledge } from './deliver.ts';
import { armDeadline, type OutputLimits } from './limits.ts';
import { newLiveTask, ownChildExited } from './look.ts';
import { makeSessionFolders } from './session-folder.ts';
import type { SpawnRequest } from './spawn-request.ts';
import { stopTask } from './stop.ts';

/** Ids are 32 random bits; so many in a row that are taken mean that something else is wrong. */
const idAttempts = 32;

/** Reads the command from its file, without leaving a trace in the shell's variables or the line numbers. */
const evaluateFile = 'eval "shift; $(cat "$1")"';

/**
 * Starts a task. When it returns, its spec is on disk and its shim is running.
 * @returns the id.
 * @throws OutliveError `TASK_LIMIT`, `STORE_UNWRITABLE`, `SPAWN_FAILED`.
 */
export async function spawnTask(
  context: SessionContext,
  limits: OutputLimits,
  request: SpawnRequest,
): Promise<string> {
  checkLimit(context);
  const attempt: SpawnAttempt = { taskId: null };
  context.spawning.add(attempt);
  try {
    return await spawnNow(context, limits, request, attempt);
  } finally {
    context.spawning.delete(attempt);
  }
}

function checkLimit(context: SessionContext): void {
  const { maxRunning } = context.limits;
  const running = [...context.live.keys()];
  const count = running.length + context.spawning.size;
  if (count < maxRunning) return;
  throw new OutliveError(
    'TASK_LIMIT',
    `expected fewer than ${maxRunning} running tasks in the session; found ${count}: ${running.join(', ')}. Wait for one, stop one, or raise maxRunning.`,
    { details: { running, maxRunning } },
  );
}

async function spawnNow(
  context: SessionContext,
  limits: OutputLimits,
  request: SpawnRequest,
  attempt: SpawnAttempt,
): Promise<string> {
  const files = await allocate(context, request, attempt);
  const { taskId, paths, log } = files;
  try {
    const spec = specOf(context, taskId, request);
    if (spec.commandInFile) writeFileSync(paths.command, request.command, { flag: 'wx', mode: 0o600 });
    writeSpec(log, spec);
    // The disk works while the process is forked; the answer waits for both.
    const synced = syncLog(log);
    synced.catch(() => undefined);
    // Nothing but microtasks between the fork and `follow`, so that no exit goes unseen.
    const live = await context.store.spawns.run(async () =>
      follow(context, limits, spec, await startShim(context, request, spec, files)),
    );
    context.spawning.delete(attempt);
    noteStartTime(context, live);
    await synced.catch((error: unknown) => takeBack(context, taskId, error));
    return taskId;
  } catch (error) {
    if (!context.live.has(taskId)) discard(paths);
    throw error instanceof OutliveError ? error : unwritable(context, error);
  } finally {
    for (const descriptor of [log, files.stdout, files.stderr])
      if (descriptor !== null) closeSync(descriptor);
  }
}

/** The record did not reach the disk, so the task could be forgotten by a crash: it must not go on. */
async function takeBack(context: SessionContext, taskId: string, error: unknown): Promise<never> {
  await stopTask(context, taskId, { cause: 'kill', graceMs: 0, killSignal: 'SIGKILL' });
  acknowledge(context, taskId);
  throw error;
}

interface TaskFiles {
  readonly taskId: string;
  readonly paths: TaskPaths;
  readonly log: number;
  readonly stdout: number;
  readonly stderr: number | null;
}

async function allocate(
  context: SessionContext,
  request: SpawnRequest,
  attempt: SpawnAttempt,
): Promise<TaskFiles> {
  let lastError: unknown;
  for (let count = 0; count < idAttempts; count += 1) {
    const taskId = `bgb-${randomBytes(4).toString('hex')}`;
    attempt.taskId = taskId;
    try {
      return await createFiles(taskPaths(context.paths, taskId), taskId, request.separate);
    } catch (error) {
      lastError = error;
      // Somebody removed the session's folders: a session that is open may go on all the same.
      if (systemCode(error) === 'ENOENT') remakeFolders(context);
      else if (systemCode(error) !== 'EEXIST') break;
    }
  }
  throw unwritable(context, lastError);
}

function remakeFolders(context: SessionContext): void {
  try {
    makeSessionFolders(context.paths, context.sessionId);
  } catch (error) {
    throw unwritable(context, error);
  }
}

/** Makes the files side by side, and all of them or none. */
async function createFiles(paths: TaskPaths, taskId: string, separate: boolean): Promise<TaskFiles> {
  const made = await Promise.allSettled([
    createLog(paths.log),
    createOutput(paths.stdout),
    separate ? createOutput(paths.stderr) : null,
  ]);
  const [log, stdout, stderr] = made.map((result) => (result.status === 'fulfilled' ? result.value : null));
  const failure = made.find((result) => result.status === 'rejected');
  if (typeof log === 'number' && typeof stdout === 'number' && failure === undefined) {
    return { taskId, paths, log, stdout, stderr: stderr ?? null };
  }
  for (const descriptor of [log, stdout, stderr]) if (typeof descriptor === 'number') closeSync(descriptor);
  // What could not be made because it was there already is another task's.
  if (typeof stdout === 'number') unlinkSync(paths.stdout);
  if (typeof stderr === 'number') unlinkSync(paths.stderr);
  if (typeof log === 'number') unlinkSync(paths.log);
  throw failure?.reason;
}

function specOf(context: SessionContext, taskId: string, request: SpawnRequest): SpecFact {
  const { command } = request;
  const commandInFile =
    command.length > bounds.argumentBytes || Buffer.byteLength(command) > bounds.argumentBytes;
  const { epochMs, uptimeMs } = now();
  return {
    fact: 'spec',
    v: 1,
    taskId,
    sessionId: context.sessionId,
    command: commandInFile ? command.slice(0, bounds.commandHeadChars) : command,
    commandInFile,
    cwd: request.cwd,
    shell: request.shell,
    name: request.name,
    labels: request.labels,
    timeoutMs: request.timeoutMs,
    graceMs: request.graceMs,
    separate: request.separate,
    leftovers: request.leftovers,
    maxOutputBytes: request.maxOutputBytes,
    keepOutputBytes: request.keepOutputBytes,
    cookie: `${taskId}.${randomBytes(8).toString('hex')}`,
    createdAt: epochMs,
    uptimeMs,
    by: context.store.system.self(),
  };
}

/** Names that a POSIX shell can hold. */
const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The shell for a shim. dash drops variables whose names are no names in a shell, among them the functions
 * that bash exports; bash hands them on, and with -p does not take functions for its own. Where it is there,
 * and such names are, it runs the shim.
 */
function shimShellFor(
  context: SessionContext,
  environment: NodeJS.ProcessEnv,
): readonly [string, ...string[]] {
  const { shimShell } = context.store;
  if (shimShell !== null) return shimShell;
  const bash = Object.keys(environment).every((name) => shellName.test(name))
    ? null
    : findBash(process.env.PATH);
  return bash === null ? ['/bin/sh'] : [bash, '-p'];
}

function startShim(
  context: SessionContext,
  request: SpawnRequest,
  spec: SpecFact,
  files: TaskFiles,
): Promise<ChildProcess> {
  const [program, ...before] = shimShellFor(context, request.environment);
  const shell0 = request.shell.slice(request.shell.lastIndexOf('/') + 1);
  // The name behind the command is the shell's $0, so that its messages begin with it and not with a path.
  const run = spec.commandInFile
    ? ['-c', evaluateFile, shell0, files.paths.command]
    : ['-c', notingPipeStatus(request.command, shell0, files.paths.log), shell0];
  const timeout = request.timeoutMs === null ? '' : String(Math.ceil(request.timeoutMs));
  const grace = String(Math.max(1, Math.ceil(request.graceMs / 1000)));
  const lifeline = request.timeoutMs === null ? 'ignore' : context.store.lifeline.forShim();
  const stdio: StdioOptions = ['ignore', files.stdout, files.stderr ?? files.stdout, files.log, lifeline];
  return new Promise((resolve, reject) => {
    const child = spawn(
      program,
      [...before, '-c', posixShim, 'outlive', timeout, grace, request.shell, ...run],
      {
        cwd: request.cwd,
        env: { ...request.environment, [cookieVariable]: spec.cookie },
        detached: true,
        stdio,
      },
    );
    if (child.pid !== undefined) resolve(child);
    else child.once('error', (error) => reject(spawnFailed(error)));
  });
}

function follow(
  context: SessionContext,
  limits: OutputLimits,
  spec: SpecFact,
  child: ChildProcess,
): LiveTask {
  const live = newLiveTask(spec.taskId, true, spec.maxOutputBytes);
  live.pid = child.pid ?? null;
  // An agent that has nothing else to do may end; the task goes on.
  child.unref();
  child.on('error', () => undefined);
  child.once('exit', (code, killSignal) => ownChildExited(context, limits, live, { code, killSignal }));
  context.live.set(spec.taskId, live);
  limits.include(live);
  armDeadline(context, live, { ...noFacts, spec, count: 1 });
  return live;
}

/** Where the shim cannot read its start time (no /proc), we ask the system, so that others can tell who it is. */
function noteStartTime(context: SessionContext, live: LiveTask): void {
  if (process.platform === 'linux' || live.pid === null || live.reaped !== null) return;
  const start = context.store.system.view(live.pid)?.start ?? null;
  if (start !== null) record(context, live.id, [{ fact: 'identified', pid: live.pid, start }]);
}

/** The id was given to nobody, so nobody misses the record. The log goes last. */
function discard(paths: TaskPaths): void {
  for (const path of [paths.stdout, paths.stderr, paths.command, paths.log]) {
    try {
      unlinkSync(path);
    } catch {
      // Not made, or out of reach: an empty log is swept later.
    }
  }
}

function spawnFailed(cause: Error): OutliveError {
  return new OutliveError(
    'SPAWN_FAILED',
    `expected the system to start a process; found ${systemCode(cause) ?? 'an error'}: ${cause.message}. Check the limits on processes, memory and open files.`,
    { cause },
  );
}

function unwritable(context: SessionContext, cause: unknown): OutliveError {
  const code = systemCode(cause);
  const isLimit =
    code === 'EMFILE' || code === 'ENFILE' || code === 'EAGAIN' || code === 'ENOMEM' || code === 'E2BIG';
  if (isLimit && cause instanceof Error) return spawnFailed(cause);
  const signs: Record<string, string> = {
    EROFS: 'it is read-only',
    ENOSPC: 'its disk is full',
    EACCES: 'no permission',
    EDQUOT: 'the quota is used up',
  };
  const found = signs[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new OutliveError(
    'STORE_UNWRITABLE',
    `expected to write to the store ${context.store.dir}; found that ${found}. Nothing was started. Make room or give permission, or open another store.`,
    { cause },
  );
}

import { type ChildProcess, spawn } from 'node:child_process';
import { systemCode } from '../errors/error.ts';
import type { SpecFact } from '../model/facts.ts';
import { cookieVariable } from '../platform/system.ts';
import { notAnOption } from '../shim/option-like.ts';
import { notingPipeStatus } from '../shim/pipe-status.ts';
import { shimProgram } from '../shim/program.ts';
import { encodeRequest, requestVariable } from '../shim/request.ts';
import { checkNamed } from '../tasklog/log.ts';
import type { SessionContext } from './context.ts';
import type { HeldResources } from './resources.ts';
import { spawnFailed } from './spawn-errors.ts';
import type { SpawnRequest } from './spawn-request.ts';
import type { TaskFiles } from './task-files.ts';

/** Reads the command from its file, without leaving a trace in the shell's variables or the line numbers. */
const evaluateFile = 'eval "shift; $(cat "$1")"';

/** What the launcher says by its exit status; see native/src/shim.h. */
const noProcess = 71;

/** The name of the shim in `ps`, in front of its task's id. */
export const shimName = 'outlive-shim';

/** The secrets of a task's shim. */
export interface Proofs {
  readonly exit: string;
  readonly gone: string;
}

/** Everything that a shim is started with. */
export interface ShimStart {
  readonly request: SpawnRequest;
  readonly spec: SpecFact;
  readonly files: TaskFiles;
  readonly held: HeldResources;
  readonly proofs: Proofs;
  readonly logOffset: number;
}

/**
 * Starts the shim of a task and resolves when it is on its own: the program that was started has forked it and ended.
 * @throws OutliveError `SPAWN_FAILED`, `SHIM_UNAVAILABLE`, {@link RecordGone}, or what `spawn` itself throws: then there is no shim. An
 * {@link UncertainStart}: there may be one.
 */
export async function startShim(context: SessionContext, start: ShimStart): Promise<void> {
  const program = await shimProgram(context.store.dir);
  try {
    await launch(context, start, program);
  } catch (error) {
    const code = systemCode(error);
    // An update has removed the package, the file has lost its mode, or the disk runs no programs.
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'ETXTBSY') throw error;
    const failed = { path: program, code };
    const other = await shimProgram(context.store.dir, { failed });
    await launch(context, start, other).catch((again: unknown) => {
      throw systemCode(again) === undefined ? again : spawnFailed(again as Error);
    });
  }
}

/** The launcher was ended by somebody: nobody knows whether it had forked. */
export class UncertainStart extends Error {}

async function launch(context: SessionContext, start: ShimStart, program: string): Promise<void> {
  const { request, spec, files } = start;
  const doorbell = context.store.doorbell?.descriptor ?? null;
  const stays = context.store.orphans?.staysChild() ?? false;
  const text = encodeRequest({
    task: spec.taskId,
    cookie: spec.cookie,
    exitProof: start.proofs.exit,
    goneProof: start.proofs.gone,
    logOffset: start.logOffset,
    timeoutMs: spec.timeoutMs,
    graceMs: spec.graceMs,
    maxOutputBytes: spec.maxOutputBytes,
    separate: spec.separate,
    leftovers: spec.leftovers,
    bound: spec.bindTo === 'session' ? null : spec.bindTo,
    queued: spec.queue !== undefined,
    bell: doorbell !== null,
    stays,
    limits: start.held.limits,
    words: wordsOf(start),
  });
  // One at a time and with a turn of the event loop in between, since each fork blocks it.
  const child = await context.store.spawns.run(() => {
    // This process may have been stopped for long, and others have taken it for dead.
    checkNamed([files.log, files.stdout, files.stderr]);
    return spawn(program, [spec.taskId], {
      argv0: shimName,
      cwd: request.cwd,
      env: environmentOf(start, text),
      detached: true,
      stdio: [
        'ignore',
        files.stdout ?? 'ignore',
        files.stderr ?? files.stdout ?? 'ignore',
        files.log,
        ...(doorbell === null ? [] : [doorbell]),
      ],
    });
  });
  await (stays ? whenStarted(child) : whenLaunched(child));
}

/** The cookie stands first, so that it is found although there is much more; the caller's own is another task's. */
function environmentOf({ request, spec }: ShimStart, text: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { [cookieVariable]: spec.cookie, ...request.environment };
  return { ...environment, [cookieVariable]: spec.cookie, [requestVariable]: text };
}

/** The shell and the command, with what has to stand in front of them. */
function wordsOf({ request, spec, files, held }: ShimStart): string[] {
  // The name after the command is the shell's $0, so that its messages begin with it and not with a path.
  const shell0 = request.shell.slice(request.shell.lastIndexOf('/') + 1);
  const run = spec.commandInFile
    ? ['-c', evaluateFile, shell0, files.paths.command]
    : ['-c', notAnOption(notingPipeStatus(request.command, shell0, files.paths.log), shell0), shell0];
  return [...held.launcher, ...request.launcher, request.shell, ...run];
}

function whenLaunched(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(systemCode(error) === undefined ? error : withCode(error)));
    child.once('exit', (code, killSignal) => {
      if (code === 0) resolve();
      else if (killSignal !== null)
        reject(new UncertainStart(`${killSignal} ended the program that starts shims`));
      else if (code === noProcess) reject(spawnFailed(new Error('the shim could not fork')));
      else reject(spawnFailed(new Error(`the shim ended with ${code} before it had started`)));
    });
  });
}

/** A shim that stays our child ends with its task. */
function whenStarted(child: ChildProcess): Promise<void> {
  child.unref();
  child.on('exit', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (error) => reject(withCode(error)));
  });
}

/** What says that the program cannot be executed is for the caller; the rest is a lack of something. */
function withCode(error: Error): Error {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'EACCES' || code === 'ETXTBSY' ? error : spawnFailed(error);
}

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { SpecFact } from '../model/facts.ts';
import { findBash } from '../platform/shells.ts';
import { cookieVariable } from '../platform/system.ts';
import { notingPipeStatus } from '../shim/pipe-status.ts';
import { posixShim } from '../shim/posix.ts';
import { waitTurn } from '../shim/wait-turn.ts';
import { letGo } from '../tasklog/files.ts';
import { openForReading } from '../tasklog/log.ts';
import type { SessionContext } from './context.ts';
import type { HeldResources } from './resources.ts';
import { spawnFailed } from './spawn-errors.ts';
import type { SpawnRequest } from './spawn-request.ts';
import type { TaskFiles } from './task-files.ts';

/** Reads the command from its file, without leaving a trace in the shell's variables or the line numbers. */
const evaluateFile = 'eval "shift; $(cat "$1")"';

/** Names that a POSIX shell can hold. */
const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The shell for a shim. dash drops variables whose names are no names in a shell, among them the functions
 * that bash exports; bash hands them on, and with -p does not take functions for its own. Where it is there,
 * and such names are, it runs the shim.
 */
function shimShellFor(environment: NodeJS.ProcessEnv): readonly [string, ...string[]] {
  const named = process.env.OUTLIVE_SHIM;
  if (named !== undefined) return [named];
  const bash = Object.keys(environment).every((name) => shellName.test(name))
    ? null
    : findBash(process.env.PATH);
  return bash === null ? ['/bin/sh'] : [bash, '-p'];
}

/** A shim that runs. */
export interface StartedShim {
  readonly pid: number | null;
  /** Tells of its end; null where the shim is not a child that Node knows. */
  readonly child: ChildProcess | null;
}

/**
 * Starts the shim of a task, detached: it leads a session and a process group of its own.
 * @throws OutliveError `SPAWN_FAILED`, or what `spawn` itself throws.
 */
export async function startShim(
  context: SessionContext,
  request: SpawnRequest,
  spec: SpecFact,
  files: TaskFiles,
  held: HeldResources,
  proof: string,
): Promise<StartedShim> {
  if (process.platform === 'win32') {
    const { startWindowsShim } = await import('./windows/start-shim.ts');
    return { pid: startWindowsShim(context, request, spec), child: null };
  }
  const child = await startPosixShim(request, spec, files, held, proof);
  return { pid: child.pid ?? null, child };
}

function startPosixShim(
  request: SpawnRequest,
  spec: SpecFact,
  files: TaskFiles,
  held: HeldResources,
  proof: string,
): Promise<ChildProcess> {
  const shimShell = shimShellFor(request.environment);
  const [program, ...before] = shimShell;
  const words = held.words(shimShell);
  const shell0 = request.shell.slice(request.shell.lastIndexOf('/') + 1);
  // The name behind the command is the shell's $0, so that its messages begin with it and not with a path.
  const run = spec.commandInFile
    ? ['-c', evaluateFile, shell0, files.paths.command]
    : ['-c', notingPipeStatus(request.command, shell0, files.paths.log), shell0];
  const timeout = request.timeoutMs === null ? '' : String(Math.ceil(request.timeoutMs));
  const grace = String(Math.max(1, Math.ceil(request.graceMs / 1000)));
  const stdio: StdioOptions = [
    'ignore',
    files.stdout ?? 'ignore',
    files.stderr ?? files.stdout ?? 'ignore',
    files.log,
    'ignore',
  ];
  const turns = spec.queue === undefined ? null : openForReading(files.paths.log);
  if (turns !== null) stdio.push('ignore', turns);
  const text = turns === null ? posixShim : waitTurn + posixShim;
  const command = [...words, ...request.launcher, request.shell, ...run];
  return new Promise<ChildProcess>((resolve, reject) => {
    const child = spawn(program, [...before, '-c', text, 'outlive', timeout, grace, proof, ...command], {
      cwd: request.cwd,
      env: { ...request.environment, [cookieVariable]: spec.cookie },
      detached: true,
      stdio,
    });
    if (child.pid !== undefined) resolve(child);
    else child.once('error', (error) => reject(spawnFailed(error)));
  }).finally(() => {
    if (turns !== null) letGo(turns);
  });
}

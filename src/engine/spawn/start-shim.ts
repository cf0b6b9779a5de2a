import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { OutliveError, systemCode } from '../../errors/error.ts';
import type { SpecFact } from '../../model/facts.ts';
import { defaults } from '../../model/limits.ts';
import { socketElsewhere } from '../../platform/socket-folder.ts';
import { cookieVariable } from '../../platform/system.ts';
import { tellingShell } from '../../shim/pipe-status.ts';
import { shimName, shimProgram } from '../../shim/program.ts';
import {
  type Dependency,
  encodeRequest,
  escapeVariable,
  requestVariable,
  type ShimRequest,
} from '../../shim/request.ts';
import { commandLine, isArgument, type ShellWord } from '../../shim/shell-words.ts';
import { checkNamed } from '../../tasklog/log.ts';
import { slotsFile } from '../../tasklog/paths.ts';
import type { SpawnPlace } from '../queue/queue.ts';
import type { Handover, Launch, LaunchEnd, SessionContext } from '../session/context.ts';
import { spawnFailed } from '../store/unwritable.ts';
import { environmentTooLarge } from './environment-too-large.ts';
import type { HeldResources } from './resources.ts';
import type { SpawnRequest } from './spawn-request.ts';
import type { TaskFiles } from './task-files.ts';

/** What the launcher says by its exit status; see native/src/shim.h. */
const noInput = 66;
const noProcess = 71;
const noPlace = 75;

/** Where the shim has its end of the doorbell. */
const bellDescriptor = 4;

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
  readonly place: SpawnPlace;
  readonly dependency: Dependency | null;
}

/**
 * Starts the shim of a task and resolves when it is on its own: the program that was started has forked it and ended.
 * @throws OutliveError `SPAWN_FAILED`, `INVALID_ENV`, `SHIM_UNAVAILABLE`, {@link RecordGone}, or what `spawn` itself throws: then there is no shim. An
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

/** Something ended the launcher: it is not known whether it had forked. */
export class UncertainStart extends Error {}

/** The session runs as many tasks as it may, say the locks of its shims: nothing was started. */
export class NoPlace extends Error {}

async function launch(context: SessionContext, start: ShimStart, program: string): Promise<void> {
  const { request, spec, files } = start;
  const { store } = context;
  const stays = store.orphans?.staysChild() ?? false;
  // Fetched only when it is passed on: the store may be closed meanwhile, and its number may belong to another file.
  const prepare = (): Handover => {
    const bell = store.doorbell?.bellOf(spec.taskId) ?? null;
    return {
      bell,
      environment: environmentOf(start, requestOf(context, start, { bell: bell !== null, stays })),
    };
  };
  // One at a time and with a turn of the event loop in between, since each fork blocks it.
  const fork = (): Promise<ChildProcess> =>
    store.spawns.run(() => {
      // This process may have been stopped for long, and others have taken it for dead.
      checkNamed(files.log);
      const { bell, environment } = prepare();
      const child = spawn(program, [spec.taskId], {
        argv0: shimName,
        cwd: request.cwd,
        env: environment,
        detached: true,
        stdio: [stdinOf(request), 'ignore', 'ignore', files.log, ...(bell === null ? [] : [bell])],
      });
      // There is none if the process had no descriptors left.
      const pipe = bell === 'pipe' ? (child.stdio?.[bellDescriptor] as Socket | undefined) : undefined;
      if (pipe !== undefined) store.doorbell?.hear(pipe);
      handData(child, request);
      return child;
    });
  const directly = async (): Promise<LaunchEnd> => await whenLaunched(await fork());
  const launching: Launch = {
    program,
    task: spec.taskId,
    cwd: request.cwd,
    log: files.log,
    logPath: files.paths.log,
    prepare,
  };
  try {
    if (stays) return await whenStarted(await fork());
    // The fork server has no input to hand on.
    const isPlain = request.stdin === 'none' || request.stdin === 'open';
    check(await ((isPlain && store.forkServer?.launch(launching, directly)) || directly()));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'E2BIG') throw environmentTooLarge(prepare().environment, error as Error);
    // What says that the program cannot be executed is for the caller; the rest is a lack of something.
    const isForCaller = code === undefined || code === 'ENOENT' || code === 'EACCES' || code === 'ETXTBSY';
    throw isForCaller || error instanceof OutliveError ? error : spawnFailed(error as Error);
  }
}

/** What the shim is to do, as text. */
function requestOf(
  context: SessionContext,
  start: ShimStart,
  how: Pick<ShimRequest, 'bell' | 'stays'>,
): string {
  const { spec, files } = start;
  return encodeRequest({
    task: spec.taskId,
    cookie: spec.cookie,
    exitProof: start.proofs.exit,
    goneProof: start.proofs.gone,
    logOffset: start.logOffset,
    timeoutMs: spec.timeoutMs,
    graceMs: spec.graceMs,
    maxOutputBytes: spec.maxOutputBytes,
    out: files.paths.stdout,
    err: spec.separate ? files.paths.stderr : null,
    pumped: spec.output === 'pipe',
    slots: slotsFile(context.store.dir),
    ...inputOf(context, start),
    leftovers: spec.leftovers,
    bound: spec.bindTo === 'session' ? null : spec.bindTo,
    queueFile: context.paths.queue,
    order: start.place.order,
    limit: Math.ceil(start.place.maxRunning),
    queued: spec.queue !== undefined,
    after: start.dependency,
    ...how,
    limits: start.held.limits,
    ...askForPipes(start),
    ...hookOf(start),
    words: wordsOf(start),
  });
}

/** What the shim makes of the command's input. */
function inputOf(
  context: SessionContext,
  { request, spec }: ShimStart,
): Pick<ShimRequest, 'input' | 'dataBytes' | 'piped' | 'columns' | 'rows' | 'socket'> {
  const { stdin, tty } = request;
  if (stdin === 'none') return {};
  if (stdin === 'inherit') return { input: 'handed' };
  if (typeof stdin === 'object') return { input: 'data', dataBytes: stdin.data.length };
  return {
    input: 'open',
    piped: stdin === 'inherit-open',
    socket: socketElsewhere(context.store.dir, spec.taskId),
    ...(tty && { columns: tty.cols, rows: tty.rows }),
  };
}

/** The launcher's descriptor 0. */
function stdinOf({ stdin }: SpawnRequest): 'ignore' | 'inherit' | 'pipe' {
  if (typeof stdin === 'object') return 'pipe';
  return stdin === 'inherit' || stdin === 'inherit-open' ? 'inherit' : 'ignore';
}

/** The launcher takes all of it before it answers; when it ends before that, its exit status says so. */
function handData(child: ChildProcess, { stdin }: SpawnRequest): void {
  if (typeof stdin !== 'object') return;
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin.data);
}

/** The cookie stands first, so that it is found although there is much more; the caller's own is another task's. */
function environmentOf({ request, spec }: ShimStart, text: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { [cookieVariable]: spec.cookie, ...request.environment };
  const escaped = request.undecoded.map((bytes, index) => [
    `${requestVariable}_${index}`,
    escapeVariable(bytes),
  ]);
  return {
    ...environment,
    ...Object.fromEntries(escaped),
    [cookieVariable]: spec.cookie,
    [requestVariable]: text,
  };
}

/** The command line, with what has to stand in front of it. */
function wordsOf({ request, files, held }: ShimStart): ShellWord[] {
  return [...held.launcher, ...request.launcher, ...commandLine(request.asked, files.paths.command)];
}

/** The hook: the command that the shim runs when the task has ended. */
function hookOf({
  request,
  files,
}: ShimStart): Pick<ShimRequest, 'hook' | 'hookMs' | 'hookOutput' | 'hookFolder'> {
  if (request.onExit === null) return {};
  return {
    hook: request.onExit,
    hookMs: defaults.onExitMs,
    hookOutput: files.paths.hook,
    hookFolder: request.cwd,
  };
}

/** The shell that reports how the segments of its last pipeline ended, and the place for its answer. */
function askForPipes({ request, files }: ShimStart): Pick<ShimRequest, 'bashPipes' | 'zshPipes'> {
  const folder = files.paths.pipes;
  const { asked, environment } = request;
  if (asked.shell === null || !isArgument(asked.command, asked.shell)) return {};
  const shell = tellingShell({ ...asked, environment, folder });
  return shell === null ? {} : shell === 'bash' ? { bashPipes: folder } : { zshPipes: folder };
}

function whenLaunched(child: ChildProcess): Promise<LaunchEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code }));
  });
}

/** @throws OutliveError `SPAWN_FAILED`, {@link UncertainStart}, {@link NoPlace}. */
function check({ code }: LaunchEnd): void {
  if (code === 0) return;
  if (code === null) throw new UncertainStart('another process ended the program that starts shims');
  if (code === noPlace) throw new NoPlace();
  const why =
    code === noProcess
      ? 'the shim could not fork'
      : code === noInput
        ? 'the shim could not keep the data for stdin, which takes memory'
        : `the shim ended with ${code} before it had started`;
  throw spawnFailed(new Error(why));
}

/** A shim that stays our child ends with its task. */
function whenStarted(child: ChildProcess): Promise<void> {
  child.unref();
  child.on('exit', () => undefined);
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', reject);
  });
}

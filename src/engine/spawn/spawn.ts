import { OutliveError } from '../../errors/error.ts';
import { expected, isExpected } from '../../errors/expected.ts';
import type { ExitFact, SpecFact } from '../../model/facts.ts';
import { type Facts, noFacts } from '../../model/fold.ts';
import type { Bond } from '../../model/words.ts';
import { removeGroup } from '../../platform/linux/cgroup.ts';
import type { Dependency } from '../../shim/request.ts';
import { fileOfCommand } from '../../shim/shell-words.ts';
import { letGo } from '../../tasklog/files.ts';
import { claimKey, freeKey, keysOf } from '../../tasklog/keys.ts';
import { fileOf, syncLog, writeSpec } from '../../tasklog/log.ts';
import { randomHex, sealOf } from '../../util/crypto.ts';
import { monotonicMs, sleep } from '../../util/wait.ts';
import { withKeys } from '../../util/with-keys.ts';
import { acknowledge } from '../completions/acknowledge.ts';
import { forget } from '../completions/deliver.ts';
import { stopTask } from '../end/stop.ts';
import { followQueue, grantTurns, hasPlace, taskLimit } from '../queue/queue.ts';
import { background, guarded, passing, report } from '../session/background.ts';
import type { LiveTask, SessionContext, SpawnAttempt, WindowsParts } from '../session/context.ts';
import { observe } from '../session/observe.ts';
import { placeOf, spawnTopic } from '../session/topics.ts';
import { spawnFailed, unwritable } from '../store/unwritable.ts';
import { newLiveTask, reconcileSoon, rung } from '../supervise/reconcile.ts';
import { checkNow } from './check-now.ts';
import { tellWitness } from './claim-witness.ts';
import { holdResources, unlimited } from './resources.ts';
import type { SpawnRequest } from './spawn-request.ts';
import { specOf } from './spec-of.ts';
import { NoPlace, type Proofs, type ShimStart, startShim, UncertainStart } from './start-shim.ts';
import { allocate, discard, writeCommand } from './task-files.ts';

/** It is gone, or this process cannot end it. */
const isOver = expected('TASK_NOT_FOUND', 'TASK_ELSEWHERE', 'CLOSED');
const passesOrIsOver = new Set([...passing, ...isOver]);

/** The pauses in which a shim whose task has ended gives up its place: half a second in all. */
const firstPlacePauseMs = 5;
const longestPlacePauseMs = 300;

/** The pause before it is tried again to take back what must not go on. */
const takeBackAgainMs = 500;

/**
 * Starts a task. When it returns, its spec is on disk and its shim is running.
 * @returns the id.
 * @throws OutliveError `INVALID_ARGUMENT`, `TASK_LIMIT`, `DISK_LOW`, `STORE_UNWRITABLE`, `SPAWN_FAILED`.
 */
export async function spawnTask(context: SessionContext, request: SpawnRequest): Promise<string> {
  const { bond, dependency, place } = checkNow(context, request);
  const line = place.waits ? context.line.enter() : null;
  const attempt: SpawnAttempt = { taskId: null, live: null, place, line };
  context.spawning.add(attempt);
  try {
    return await spawnNow(context, request, { bond, dependency }, attempt);
  } finally {
    line?.leave();
    // A turn later, so that the process that is answered can wait for the task before its end is told to others.
    setImmediate(guarded(context, 'checking a new task', () => answered(context, attempt)));
  }
}

function answered(context: SessionContext, attempt: SpawnAttempt): void {
  context.spawning.delete(attempt);
  const { live, place } = attempt;
  // A place may have become free since this one was put into the queue, or this one has not taken its own.
  grantTurns(context);
  // No check has run meanwhile, because the spawn was in progress.
  if (live !== null && (!live.rings || place.waits)) reconcileSoon(context, live.id);
}

async function spawnNow(
  context: SessionContext,
  request: SpawnRequest,
  { bond, dependency }: { bond: Bond | null; dependency: Dependency | null },
  attempt: SpawnAttempt,
): Promise<string> {
  await attempt.line?.turn;
  // The first task has it, too: where the disk is full, nothing else tells of its end.
  await context.store.doorbell?.open();
  const files = await allocate(context, request, attempt);
  const { taskId, paths, log } = files;
  const { place } = attempt;
  let held = unlimited;
  let cookie: string | null = null;
  try {
    held = await holdResources(context, taskId, request.resources);
    // Tests have what Windows needs beside a shim of Unix.
    const windows = process.platform === 'win32' ? context.store.windows : null;
    const proofs = makeProofs();
    const spec: SpecFact = {
      ...specOf(context, taskId, request, { bond, place: attempt.place }),
      ...held.recorded,
      // The wrapper of Windows can prove nothing.
      ...(windows === null ? { seal: sealOf(proofs.exit), file: fileOf(log) } : {}),
    };
    cookie = spec.cookie;
    const commandFile = fileOfCommand(request.asked);
    if (commandFile !== null) writeCommand(context, paths, commandFile);
    const text = writeSpec(log, spec, request.watches);
    const logOffset = Buffer.byteLength(text);
    // Before the sync, which takes it to the disk as well, and before anything is started.
    for (const key of keysOf(request)) if (!claimKey(context.paths, key, spec.cookie)) throw new KeyTaken();
    tellWitness(taskId);
    // The disk works while the process is forked; the answer waits for both.
    const synced = syncLog(log);
    // It is awaited below: until then it counts as handled.
    synced.catch(() => undefined);
    // While the shim starts, so that at the end there is less to read.
    setImmediate(guarded(context, 'reading a new record', () => context.store.logs.wrote(paths.log, text)));
    if (windows !== null) await startOnWindows({ context, windows, request, spec, attempt });
    else await start(context, attempt, { request, spec, files, held, proofs, logOffset, place, dependency });
    await synced.catch((error: unknown) => takeBack(context, spec, error));
    const { name, command } = spec;
    spawnTopic.tell(() => ({ ...placeOf(context, taskId), name, command }));
    return taskId;
  } catch (error) {
    // What has run has a record, also if it was taken back.
    if (attempt.live === null) {
      if (held.recorded.cgroup !== undefined) removeGroup(held.recorded.cgroup);
      context.store.windows?.dropFiles(context, taskId);
      discard(paths, log);
    }
    if (cookie !== null) giveKeysBack(context, taskId, keysOf(request), cookie);
    throw error instanceof OutliveError || error instanceof KeyTaken ? error : unwritable(context, error);
  } finally {
    letGo(log);
  }
}

/** Another task has the key that this one was to have: nothing was started. */
export class KeyTaken extends Error {}

/** A task whose spawn has failed keeps its keys when it has run, or may still do so. */
function giveKeysBack(
  context: SessionContext,
  taskId: string,
  keys: readonly string[],
  cookie: string,
): void {
  if (keys.length === 0) return;
  try {
    const observed = observe(context, taskId);
    if (observed !== null && !observed.facts.isForbidden) return;
    for (const key of keys) freeKey(context.paths, key, cookie);
  } catch (error) {
    // The next spawn for that key looks again.
    report(context, 'releasing a key', error, { taskId });
  }
}

/** What the shim must show, the second before the first: its hash. */
function makeProofs(): Proofs {
  const gone = randomHex(16);
  return { gone, exit: sealOf(gone) };
}

/** Starts a shim, which is followed before it runs, so that no word of it goes unheard. */
async function start(context: SessionContext, attempt: SpawnAttempt, starting: ShimStart): Promise<void> {
  const { spec } = starting;
  const live = follow(context, spec);
  attempt.live = live;
  try {
    await startInItsPlace(context, starting);
    attempt.line?.leave();
    live.launchedAt = monotonicMs();
  } catch (error) {
    // It may run: whatever it does, the record stays, and forbids or ends it.
    if (error instanceof UncertainStart) return await takeBack(context, spec, error);
    attempt.live = null;
    forget(context, spec.taskId);
    throw error instanceof NoPlace ? taskLimit(context) : error;
  }
}

/** The locks may say for a moment that there is no place, although the task that has it was told as ended. */
async function startInItsPlace(context: SessionContext, starting: ShimStart): Promise<void> {
  for (let pauseMs = firstPlacePauseMs; ; pauseMs *= 2) {
    try {
      return await startShim(context, starting);
    } catch (error) {
      if (!(error instanceof NoPlace) || !hasPlace(context) || pauseMs > longestPlacePauseMs) throw error;
      await sleep(pauseMs);
    }
  }
}

interface WindowsStart {
  readonly context: SessionContext;
  readonly windows: WindowsParts;
  readonly request: SpawnRequest;
  readonly spec: SpecFact;
  readonly attempt: SpawnAttempt;
}

async function startOnWindows({ context, windows, request, spec, attempt }: WindowsStart): Promise<void> {
  const { asked, cwd, environment, separate } = request;
  // Lists of words are refused on Windows before.
  if (asked.shell === null) throw new OutliveError('INTERNAL', 'expected a shell on Windows; found none');
  const command = { command: asked.command, shell: asked.shell, cwd, environment, separate };
  const pid = await windows.startShim(context, command, spec);
  attempt.live = follow(context, spec);
  attempt.live.shim = { pid, start: null };
}

/** The record did not reach the disk, so the task could be forgotten by a crash: it must not go on. */
async function takeBack(context: SessionContext, { taskId }: SpecFact, error: unknown): Promise<never> {
  const stop = async (): Promise<void> => {
    await stopTask(context, taskId, { cause: 'kill', graceMs: 0, killSignal: 'SIGKILL' });
    acknowledge(context, taskId);
  };
  await stop().catch((failure: unknown) => {
    report(context, 'rolling back a spawn', failure, { taskId, codes: passesOrIsOver });
    context.takeBacks.add(stop);
    const again = untilDone(context, stop).finally(() => context.takeBacks.delete(stop));
    background(context, 'rolling back a spawn', again, taskId);
  });
  if (error instanceof UncertainStart) throw spawnFailed(error);
  throw unwritable(context, error, 'The task started, and was stopped again.');
}

async function untilDone(context: SessionContext, work: () => Promise<void>): Promise<void> {
  for (let failed = true; failed; ) {
    await sleep(takeBackAgainMs);
    // The close has tried it once more, and live tasks are forgotten: the process that opens the session next settles the rest.
    if (context.closed) return;
    failed = await work().then(
      () => false,
      (error: unknown) => {
        if (isExpected(error, isOver)) return false;
        if (!isExpected(error, passing)) throw error;
        return true;
      },
    );
  }
}

function follow(context: SessionContext, spec: SpecFact): LiveTask {
  const live = newLiveTask(spec.taskId, true, spec);
  const heard = (exit: ExitFact): void => {
    // Anybody may write to a pipe.
    if (exit.proof !== undefined && sealOf(exit.proof) === spec.seal) rung(context, live, exit);
  };
  live.rings = context.store.doorbell?.listen(spec.taskId, heard) ?? false;
  context.live.set(spec.taskId, live);
  const facts: Facts = withKeys(noFacts, { spec, count: 1 });
  followQueue(context, live, facts);
  context.enforcer?.include(live, facts);
  return live;
}

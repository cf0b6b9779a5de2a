import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';
import type { QueuePlace, SpecFact } from '../model/facts.ts';
import { type Facts, noFacts } from '../model/fold.ts';
import { bounds } from '../model/limits.ts';
import type { Bond } from '../model/words.ts';
import { removeGroup } from '../platform/cgroup.ts';
import { now } from '../platform/clock.ts';
import { taskLogVersion } from '../tasklog/codec.ts';
import { letGo } from '../tasklog/files.ts';
import { syncLog, writeSpec } from '../tasklog/log.ts';
import { sealOf } from '../util/crypto.ts';
import { monotonicMs, sleep } from '../util/wait.ts';
import { background } from './background.ts';
import { bondOf } from './bond.ts';
import type { LiveTask, SessionContext, SpawnAttempt } from './context.ts';
import { acknowledge, forget } from './deliver.ts';
import { checkDisk } from './disk-reserve.ts';
import { look, newLiveTask, rung } from './look.ts';
import { followQueue, grantTurns, placeFor } from './queue.ts';
import { holdResources, unlimited } from './resources.ts';
import { spawnFailed, unwritable } from './spawn-errors.ts';
import type { SpawnRequest } from './spawn-request.ts';
import { type Proofs, type ShimStart, startShim, UncertainStart } from './start-shim.ts';
import { stopTask } from './stop.ts';
import { allocate, discard } from './task-files.ts';

/** The pause before it is tried again to take back what must not go on. */
const takeBackAgainMs = 500;

/**
 * Starts a task. When it returns, its spec is on disk and its shim is running.
 * @returns the id.
 * @throws OutliveError `INVALID_ARGUMENT`, `TASK_LIMIT`, `DISK_LOW`, `STORE_UNWRITABLE`, `SPAWN_FAILED`.
 */
export async function spawnTask(context: SessionContext, request: SpawnRequest): Promise<string> {
  const bond = bondOf(request.bindTo, context.store.system);
  const attempt: SpawnAttempt = { taskId: null, live: null, queue: placeFor(context, request.onLimit) };
  checkDisk(context.store);
  context.spawning.add(attempt);
  try {
    return await spawnNow(context, request, bond, attempt);
  } finally {
    // A turn later, so that whoever is answered can wait for the task before its end is told to others.
    setImmediate(() => answered(context, attempt));
  }
}

function answered(context: SessionContext, attempt: SpawnAttempt): void {
  context.spawning.delete(attempt);
  const { live } = attempt;
  // A place may have become free since this one was put into the queue, or this one has not taken its own.
  grantTurns(context);
  // What has happened to it meanwhile nobody has looked at: then the spawn was on its way.
  if (live?.rings === false) background(look(context, live.id));
}

async function spawnNow(
  context: SessionContext,
  request: SpawnRequest,
  bond: Bond | null,
  attempt: SpawnAttempt,
): Promise<string> {
  // The first task has it, too: where the disk is full, nothing else tells of its end.
  await context.store.doorbell?.open();
  const files = await allocate(context, request, attempt);
  const { taskId, paths, log } = files;
  let held = unlimited;
  try {
    held = await holdResources(context, taskId, request.resources);
    const proofs = makeProofs();
    const spec: SpecFact = {
      ...specOf(context, taskId, request, { bond, queue: attempt.queue }),
      ...held.recorded,
      ...(proofs === null ? {} : { seal: sealOf(proofs.exit) }),
    };
    if (spec.commandInFile) writeFileSync(paths.command, request.command, { flag: 'wx', mode: 0o600 });
    const logOffset = writeSpec(log, spec);
    // The disk works while the process is forked; the answer waits for both.
    const synced = syncLog(log);
    synced.catch(() => undefined);
    if (proofs === null) await startOnWindows(context, request, spec, attempt);
    else await start(context, attempt, { request, spec, files, held, proofs, logOffset });
    await synced.catch((error: unknown) => takeBack(context, spec, error));
    return taskId;
  } catch (error) {
    // What has run has a record, also if it was taken back.
    if (attempt.live === null) {
      if (held.recorded.cgroup !== undefined) removeGroup(held.recorded.cgroup);
      context.store.windows?.dropFiles(context, taskId);
      discard(paths, log);
    }
    throw error instanceof OutliveError ? error : unwritable(context, error);
  } finally {
    for (const descriptor of [log, files.stdout, files.stderr]) if (descriptor !== null) letGo(descriptor);
  }
}

/** What the shim must show, the second before the first: its hash. The wrapper of Windows can prove nothing. */
function makeProofs(): Proofs | null {
  if (process.platform === 'win32') return null;
  const gone = randomBytes(16).toString('hex');
  return { gone, exit: sealOf(gone) };
}

/** Starts a shim, which is followed before it runs, so that no word of it goes unheard. */
async function start(context: SessionContext, attempt: SpawnAttempt, starting: ShimStart): Promise<void> {
  const { spec } = starting;
  const live = follow(context, spec);
  attempt.live = live;
  try {
    await startShim(context, starting);
    live.launchedAt = monotonicMs();
  } catch (error) {
    // It may run: whatever it does, the record stays, and forbids or ends it.
    if (error instanceof UncertainStart) return await takeBack(context, spec, error);
    attempt.live = null;
    forget(context, spec.taskId);
    throw error;
  }
}

async function startOnWindows(
  context: SessionContext,
  request: SpawnRequest,
  spec: SpecFact,
  attempt: SpawnAttempt,
): Promise<void> {
  const { startWindowsShim } = await import('./windows/start-shim.ts');
  const pid = await context.store.spawns.run(() => startWindowsShim(context, request, spec));
  attempt.live = follow(context, spec);
  attempt.live.shim = { pid, start: null };
}

/** The record did not reach the disk, so the task could be forgotten by a crash: it must not go on. */
async function takeBack(context: SessionContext, { taskId }: SpecFact, error: unknown): Promise<never> {
  const stop = async (): Promise<void> => {
    await stopTask(context, taskId, { cause: 'kill', graceMs: 0, killSignal: 'SIGKILL' });
    acknowledge(context, taskId);
  };
  await stop().catch(() => {
    context.takeBacks.add(stop);
    background(untilDone(context, stop).finally(() => context.takeBacks.delete(stop)));
  });
  if (error instanceof UncertainStart) throw spawnFailed(error);
  throw unwritable(context, error, 'The task was started, and stopped again.');
}

async function untilDone(context: SessionContext, work: () => Promise<void>): Promise<void> {
  for (let failed = true; failed; ) {
    await sleep(takeBackAgainMs);
    // The close has tried it once more, and live tasks are forgotten: whoever opens the session next settles the rest.
    if (context.closed) return;
    failed = await work().then(
      () => false,
      (error) => error instanceof OutliveError && error.code === 'READ_FAILED',
    );
  }
}

function specOf(
  context: SessionContext,
  taskId: string,
  request: SpawnRequest,
  { bond, queue }: { bond: Bond | null; queue: QueuePlace | null },
): SpecFact {
  const { command } = request;
  const commandInFile =
    command.length > bounds.argumentBytes || Buffer.byteLength(command) > bounds.argumentBytes;
  const { epochMs, monoMs } = now();
  return {
    fact: 'spec',
    v: taskLogVersion,
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
    bindTo: bond,
    retentionMs: context.limits.retentionMs,
    cookie: `${taskId}.${randomBytes(8).toString('hex')}`,
    createdAt: epochMs,
    monoMs,
    by: context.store.system.self(),
    ...(queue === null ? {} : { queue }),
  };
}

function follow(context: SessionContext, spec: SpecFact): LiveTask {
  const live = newLiveTask(spec.taskId, true, spec);
  const { doorbell } = context.store;
  live.rings = doorbell?.descriptor != null;
  doorbell?.listen(spec.taskId, (exit) => {
    // Anybody may write to a pipe.
    if (exit.proof !== undefined && sealOf(exit.proof) === spec.seal) rung(context, live, exit);
  });
  context.live.set(spec.taskId, live);
  const facts: Facts = { ...noFacts, spec, count: 1 };
  followQueue(context, live, facts);
  context.enforcer?.include(live, facts);
  return live;
}

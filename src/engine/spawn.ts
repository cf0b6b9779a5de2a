import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { OutliveError } from '../errors/error.ts';
import type { QueuePlace, SpecFact } from '../model/facts.ts';
import { type Facts, noFacts } from '../model/fold.ts';
import { bounds } from '../model/limits.ts';
import type { Bond } from '../model/words.ts';
import { removeGroup } from '../platform/cgroup.ts';
import { now } from '../platform/clock.ts';
import { letGo } from '../tasklog/files.ts';
import { syncLog, writeSpec } from '../tasklog/log.ts';
import { sealOf } from '../util/crypto.ts';
import { sleep } from '../util/wait.ts';
import { record } from './append.ts';
import { background } from './background.ts';
import { bondOf } from './bond.ts';
import type { LiveTask, SessionContext, SpawnAttempt } from './context.ts';
import { acknowledge } from './deliver.ts';
import { checkDisk } from './disk-reserve.ts';
import { look, newLiveTask, ownChildExited } from './look.ts';
import { followQueue, grantTurns, placeFor } from './queue.ts';
import { holdResources, unlimited } from './resources.ts';
import { unwritable } from './spawn-errors.ts';
import type { SpawnRequest } from './spawn-request.ts';
import { type StartedShim, startShim } from './start-shim.ts';
import { stopTask } from './stop.ts';
import { allocate, discard } from './task-files.ts';
import { signalGroup } from './tree.ts';

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
  if (live?.reaped) ownChildExited(context, live, live.reaped);
  // A place may have become free since this one was put into the queue, or this one has not taken its own.
  grantTurns(context);
  // What happens to a shim that is nobody's child is seen by looking, and nobody has looked while it was spawned.
  if (live?.awaitsStart || live?.own === false) background(look(context, live.id));
}

async function spawnNow(
  context: SessionContext,
  request: SpawnRequest,
  bond: Bond | null,
  attempt: SpawnAttempt,
): Promise<string> {
  const files = await allocate(context, request, attempt);
  const { taskId, paths, log } = files;
  let held = unlimited;
  try {
    held = await holdResources(context, taskId, request.resources);
    // The shim of Windows leaves its marker in a file, and proves nothing.
    const proof = process.platform === 'win32' ? '' : randomBytes(16).toString('hex');
    const spec: SpecFact = {
      ...specOf(context, taskId, request, { bond, queue: attempt.queue }),
      ...held.recorded,
      ...(proof === '' ? {} : { seal: sealOf(proof) }),
    };
    if (spec.commandInFile) writeFileSync(paths.command, request.command, { flag: 'wx', mode: 0o600 });
    writeSpec(log, spec);
    // The disk works while the process is forked; the answer waits for both.
    const synced = syncLog(log);
    synced.catch(() => undefined);
    // Nothing but microtasks between the fork and `follow`, so that no exit goes unseen.
    const live = await context.store.spawns.run(async () =>
      follow(context, spec, await startShim(context, request, spec, files, held, proof)),
    );
    attempt.live = live;
    noteStartTime(context, live);
    await synced.catch((error: unknown) => takeBack(context, live, error));
    return taskId;
  } catch (error) {
    // What has run has a record, also if it was taken back.
    if (attempt.live === null) {
      if (held.recorded.cgroup !== undefined) removeGroup(held.recorded.cgroup);
      context.store.windows?.dropFiles(context, taskId);
      discard(paths);
    }
    throw error instanceof OutliveError ? error : unwritable(context, error);
  } finally {
    for (const descriptor of [log, files.stdout, files.stderr]) if (descriptor !== null) letGo(descriptor);
  }
}

/** The record did not reach the disk, so the task could be forgotten by a crash: it must not go on. */
async function takeBack(context: SessionContext, live: LiveTask, error: unknown): Promise<never> {
  const stop = async (): Promise<void> => {
    await stopTask(context, live.id, { cause: 'kill', graceMs: 0, killSignal: 'SIGKILL' });
    acknowledge(context, live.id);
  };
  await stop().catch(() => {
    // Whoever cannot look at processes can still end the group of a child that he has not reaped; the rest comes later.
    if (live.pid !== null && live.reaped === null) signalGroup(live.pid, 'SIGKILL');
    context.takeBacks.add(stop);
    background(untilDone(context, stop).finally(() => context.takeBacks.delete(stop)));
  });
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
    bindTo: bond,
    retentionMs: context.limits.retentionMs,
    cookie: `${taskId}.${randomBytes(8).toString('hex')}`,
    createdAt: epochMs,
    uptimeMs,
    by: context.store.system.self(),
    ...(queue === null ? {} : { queue }),
  };
}

function follow(context: SessionContext, spec: SpecFact, { pid, child }: StartedShim): LiveTask {
  const live = newLiveTask(spec.taskId, child !== null, spec);
  live.pid = pid;
  // An agent that has nothing else to do may end; the task goes on.
  child?.unref();
  child?.on('error', () => undefined);
  child?.once('exit', (code, killSignal) => ownChildExited(context, live, { code, killSignal }));
  context.live.set(spec.taskId, live);
  const facts: Facts = { ...noFacts, spec, count: 1 };
  followQueue(context, live, facts);
  context.enforcer?.include(live, facts);
  return live;
}

/** Where the shim cannot read its start time (no /proc), we ask the system, so that others can tell who it is. */
function noteStartTime(context: SessionContext, live: LiveTask): void {
  const { system } = context.store;
  if (system.shimsKnowTheirStart || live.pid === null || live.reaped !== null) return;
  const start = system.view(live.pid)?.start ?? null;
  if (start !== null) record(context, live.id, [{ fact: 'identified', pid: live.pid, start }]);
}

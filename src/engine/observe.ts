import { hasEnded } from '../model/decide.ts';
import { type Facts, shimOf } from '../model/fold.ts';
import { type OutputSummary, snapshotOf, type TaskSnapshot } from '../model/snapshot.ts';
import type { Liveness } from '../model/words.ts';
import { now } from '../platform/clock.ts';
import { isAlive, originOf, viewHere } from '../platform/identity.ts';
import type { ProcessView } from '../platform/system.ts';
import { foldWith, logOfTask, readLog } from '../tasklog/log.ts';
import { outputFile, outputState, tailOutput, wholeCharacters } from '../tasklog/output.ts';
import { taskPaths } from '../tasklog/paths.ts';
import type { SessionContext } from './context.ts';
import type { Sight } from './sight.ts';

/** A spawner that dies right after the spec may have started the shim: so long it is given to say so. */
const spawnAbortedAfterMs = 2_000;

/** A live spawner sees that its shim is gone, unless it has closed its store meanwhile. */
const liveSpawnerAbortedAfterMs = 30_000;

/** A task as it is now: its facts from disk, and whether its shim lives. */
export interface Observed {
  readonly facts: Facts;
  readonly alive: Liveness;
  /** Why it is dead, when that is not a matter of course: `reboot`, `container_restarted`, `elsewhere`. */
  readonly deathReason: string | null;
  readonly suspended: boolean;
  readonly modifiedAt: number;
  /** Size of the log. */
  readonly bytes: number;
}

/**
 * Looks at a task; null when there is no record of it, or an empty one that nothing was written to yet.
 * @param sight what was seen of processes just before, for those who only list.
 */
export function observe(
  context: SessionContext,
  taskId: string,
  sight: Sight | null = null,
): Observed | null {
  const path = taskPaths(context.paths, taskId).log;
  for (let before = -1; ; ) {
    const log = readLog(path);
    if (log === null || log.bytes === 0) return null;
    const facts = foldWith(logOfTask(log, taskId), context.unwritten.get(taskId), context.heard.get(taskId));
    const { bytes, modifiedAt } = log;
    const seen = vitality(context, taskId, facts, modifiedAt, sight);
    // After the look at the shim, so that the marker of a dead one is there.
    if (context.store.windows?.copyExitMark(context, taskId, facts)) continue;
    // Between the look at the log and the look at the shim it may have written its exit, or `started`, and ended: what a
    // dead one has written is there now.
    const isTold = seen.alive !== 'no' || facts.exit !== undefined || facts.outcome !== undefined;
    if (isTold || bytes === before) return { facts, bytes, modifiedAt, ...seen };
    before = bytes;
  }
}

type Vitality = Pick<Observed, 'alive' | 'deathReason' | 'suspended'>;

function vitality(
  context: SessionContext,
  taskId: string,
  facts: Facts,
  modifiedAt: number,
  sight: Sight | null,
): Vitality {
  if (facts.spec !== undefined) {
    const origin = originOf(facts.spec.by, context.store.system);
    if (origin === 'earlier_boot') return dead('reboot');
    if (origin === 'earlier_container') return dead('container_restarted');
    if (origin === 'elsewhere') {
      if (context.store.elsewhere === 'lost') return dead('elsewhere');
      return { alive: 'unknown', deathReason: null, suspended: false };
    }
  }
  // Its shim may live on for what is left of it; the task does not.
  if (hasEnded(facts)) return dead(null);
  const live = context.live.get(taskId);
  // Where the task has destroyed its record, who has spawned it knows it all the same.
  const isRemembered = facts.spec === undefined && live?.own === true;
  const shim = shimOf(facts) ?? (isRemembered ? (live.shim ?? undefined) : undefined);
  // An exit is the last word of a shim that could not say who it is. In another's record it is of that one's.
  const isOver = isRemembered
    ? context.heard.has(taskId)
    : facts.outcome !== undefined || facts.exit !== undefined;
  if (shim === undefined && isOver) return dead(null);
  if (shim === undefined) {
    const mayRun = isRemembered || mayStillStart(context, facts, modifiedAt);
    return mayRun && live?.neverStarts !== true ? present(context, null) : dead(null);
  }
  const { pid, start } = shim;
  const cookie = facts.spec?.cookie ?? live?.cookie ?? '';
  // One that has said how its command ended may be gone since.
  const inSight = facts.exit === undefined ? sight?.shim(pid, start, cookie) : null;
  if (inSight) return { alive: 'yes', deathReason: null, suspended: inSight.suspended };
  const seen = liveShim(context, cookie, pid, start);
  if (seen !== null) return present(context, seen, facts.started?.pid);
  // Without a subreaper leftovers that are waited for are found by looking.
  const waits =
    facts.spec?.leftovers === 'wait' && facts.stop === undefined && facts.started?.subreaper !== true;
  const lingers = waits && facts.exit !== undefined && facts.outcome === undefined;
  return lingers ? present(context, null) : dead(null);
}

/** Where the start time is not known, the cookie in its environment tells the shim from a stranger. */
function liveShim(
  context: SessionContext,
  cookie: string,
  pid: number,
  start: number | null,
): ProcessView | null {
  const { system } = context.store;
  const seen = viewHere(pid, start, system);
  return seen !== null && start === null && !system.carries(pid, cookie) ? null : seen;
}

function dead(deathReason: string | null): Vitality {
  return { alive: 'no', deathReason, suspended: false };
}

function present(context: SessionContext, shim: ProcessView | null, command: number | null = null): Vitality {
  const suspended = shim !== null && context.store.system.isSuspended(shim, command);
  return { alive: 'yes', deathReason: null, suspended };
}

function mayStillStart(context: SessionContext, facts: Facts, modifiedAt: number): boolean {
  if (facts.spec === undefined) return Math.abs(Date.now() - modifiedAt) < spawnAbortedAfterMs;
  const spawnerLives = isAlive(facts.spec.by, context.store.system) === 'yes';
  const age = now().monoMs - facts.spec.monoMs;
  return Math.abs(age) < (spawnerLives ? liveSpawnerAbortedAfterMs : spawnAbortedAfterMs);
}

/** The snapshot of a task, from disk; null when there is no record of it. */
export function takeSnapshot(context: SessionContext, taskId: string): TaskSnapshot | null {
  const observed = observe(context, taskId);
  return observed === null ? null : describe(context, taskId, observed);
}

/**
 * The snapshot of a task that was looked at just now.
 * @param previewBytes how much of the output is in it; 0: nothing is read of it.
 */
export function describe(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  {
    previewBytes = context.limits.previewBytes,
    nowMs = Date.now(),
  }: { previewBytes?: number; nowMs?: number } = {},
): TaskSnapshot {
  const { facts, alive, suspended, modifiedAt } = observed;
  return snapshotOf(facts, {
    taskId,
    sessionId: context.sessionId,
    alive,
    suspended,
    nowMs,
    monoMs: now().monoMs,
    modifiedAt,
    output: summarize(context, taskId, facts, previewBytes),
  });
}

function summarize(
  context: SessionContext,
  taskId: string,
  facts: Facts,
  previewBytes: number,
): OutputSummary {
  const separate = facts.spec?.separate === true;
  const stdout = outputFile(context.paths, taskId, 'stdout', facts);
  const stderr = outputFile(context.paths, taskId, 'stderr', facts);
  const out = outputState(stdout);
  const err = separate ? outputState(stderr) : null;
  const tail =
    previewBytes === 0 || out.size === 0 ? null : wholeCharacters(tailOutput(stdout, previewBytes), false);
  const bytes = (tail ?? out).size + (err?.size ?? 0);
  const writtenAt = Math.max(out.writtenAt, err?.writtenAt ?? 0);
  return {
    path: stdout.path,
    stderrPath: separate ? stderr.path : null,
    bytes,
    lastWrittenAt: bytes === 0 ? null : Math.round(writtenAt),
    preview: tail?.bytes.toString('utf8') ?? '',
    truncated: tail === null ? out.size > 0 : tail.offset > 0,
  };
}

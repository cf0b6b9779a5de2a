import { type Decision, decide, hasEnded } from '../../model/decide.ts';
import { type Facts, shimOf } from '../../model/fold.ts';
import { type OutputSummary, snapshotOf, type TaskSnapshot } from '../../model/snapshot.ts';
import type { FileIdentity, Liveness } from '../../model/words.ts';
import { now } from '../../platform/clock.ts';
import { isAlive, originOf, viewHere } from '../../platform/identity.ts';
import type { ProcessView } from '../../platform/system.ts';
import { type OutputFile, type OutputSlice, tailOutput, wholeCharacters } from '../../tasklog/output.ts';
import { outputPath } from '../../tasklog/paths.ts';
import type { TaskLog } from '../../tasklog/read-log.ts';
import { characterStart } from '../../util/bytes.ts';
import type { SessionContext } from './context.ts';
import { isHeld } from './held.ts';
import type { ProcessCache } from './process-cache.ts';
import { readRecord } from './read-record.ts';
import { type Written, writtenBy } from './traces.ts';
import { whereabouts } from './whereabouts.ts';

/** A spawner that dies right after the spec may have started the shim. This is how long the shim has to report. */
const spawnAbortedAfterMs = 2_000;

/** A live spawner sees that its shim is gone, unless it has closed its store meanwhile. */
const liveSpawnerAbortedAfterMs = 30_000;

/** A task as it is now: its facts from disk, whether its shim lives, and what follows from that. */
export interface Observed {
  readonly facts: Facts;
  readonly alive: Liveness;
  readonly decision: Decision;
  /** Why it is dead, when that is not a matter of course: `reboot`, `container_restarted`, `elsewhere`. */
  readonly deathReason: string | null;
  /** Its processes, if there are any, are not this store's to look at: another machine's, or those of the original. */
  readonly away: 'elsewhere' | 'copied' | null;
  /** Its shim, which was seen alive; null: it was not, or its facts say all that there is to know. */
  readonly shim: ProcessView | null;
  /** Its shim or its command is stopped by a signal; null: only {@link describe} needs it, and checks itself. */
  readonly suspended: boolean | null;
  readonly modifiedAt: number;
  /** Size of the log. */
  readonly bytes: number;
  /** The log was read in part: see `TaskLog`. */
  readonly isPartial: boolean;
  /** Its log is in the folder of those that are done. */
  readonly isPutAway: boolean;
}

/**
 * Looks at a task; null when there is no record of it, or an empty one that nothing was written to yet.
 * @param sight what was seen of processes just before, for those who only list.
 * @param day where its log was put away, for who has just seen it there.
 */
export function observe(
  context: SessionContext,
  taskId: string,
  sight: ProcessCache | null = null,
  day: string | null = null,
): Observed | null {
  for (let before = -1; ; ) {
    const log = readRecord(context, taskId, day);
    if (log === null || log.bytes === 0) return null;
    const { facts, bytes, modifiedAt, isPartial, isPutAway } = log;
    // Of one that is put away the shim has said its last word.
    const seen = isPutAway ? dead(null) : vitality(context, taskId, log, sight);
    // After the look at the shim, so that the marker of a dead one is there.
    if (context.store.windows?.copyExitMark(context, taskId, facts)) continue;
    // Between the look at the log and the look at the shim it may have written its exit, or `started`, and ended: what a
    // dead one has written is there now.
    const isTold = seen.alive !== 'no' || facts.exit !== undefined || facts.outcome !== undefined;
    if (isTold || bytes === before) {
      const decision = decide(facts, seen.alive);
      return { facts, decision, bytes, modifiedAt, isPartial, isPutAway, ...seen };
    }
    before = bytes;
  }
}

/** A task as it was observed, but for what is known better. */
export function corrected(
  observed: Observed,
  { facts = observed.facts, alive = observed.alive }: Partial<Pick<Observed, 'facts' | 'alive'>>,
): Observed {
  return { ...observed, facts, alive, decision: decide(facts, alive) };
}

type Vitality = Pick<Observed, 'alive' | 'deathReason' | 'shim' | 'suspended' | 'away'>;

function vitality(
  context: SessionContext,
  taskId: string,
  { facts, file, modifiedAt }: TaskLog,
  sight: ProcessCache | null,
): Vitality {
  const where = whereabouts(context, taskId, facts, file);
  if (where === 'reboot' || where === 'container_restarted') return dead(where);
  if (where !== 'here') return notHere(context, facts, where);
  // Its shim may live on for what is left of it; the task does not.
  if (hasEnded(facts)) return dead(null);
  const live = context.live.get(taskId);
  // If the task destroyed its record, its spawner still knows it.
  const isRemembered = facts.spec === undefined && live?.own === true;
  const shim = shimOf(facts) ?? (isRemembered ? (live.shim ?? undefined) : undefined);
  // An exit is the last word of a shim that could not say who it is. In another's record it is of that one's.
  const isOver = isRemembered
    ? context.heard.has(taskId)
    : facts.outcome !== undefined || facts.exit !== undefined;
  if (shim === undefined && isOver) return dead(null);
  if (shim === undefined) {
    const mayRun =
      isRemembered || mayStillStart(context, facts, modifiedAt) || isHeldUnread(context, taskId, facts, file);
    return mayRun && live?.neverStarts !== true ? present(null) : dead(null);
  }
  const { pid, start } = shim;
  const cookie = facts.spec?.cookie ?? live?.cookie ?? '';
  // One that has said how its command ended may be gone since.
  const inSight = facts.exit === undefined ? sight?.shim(pid, start, cookie) : null;
  if (inSight) return present(inSight, inSight.suspended);
  const seen = liveShim(context, cookie, pid, start);
  if (seen !== null) return present(seen);
  // Without a subreaper leftovers that are waited for are found by looking.
  const waits =
    facts.spec?.leftovers === 'wait' && facts.stop === undefined && facts.started?.subreaper !== true;
  const lingers = waits && facts.exit !== undefined && facts.outcome === undefined;
  return lingers ? present(null) : dead(null);
}

/** Only what the record says of it counts. A copy may have been made when all was said. */
function notHere({ store }: SessionContext, facts: Facts, away: 'elsewhere' | 'copied'): Vitality {
  if (away === 'copied' && saysAll(facts)) return { ...dead(null), away };
  if (store.elsewhere === 'lost') return dead('elsewhere');
  return { alive: 'unknown', deathReason: null, shim: null, suspended: false, away };
}

/** Whether the facts alone say that the task has ended, and what it has left. */
function saysAll(facts: Facts): boolean {
  const { exit, left, gone, isForbidden } = facts;
  if (!hasEnded(facts)) return false;
  const isNothingLeft = isForbidden || exit?.ran === false || exit?.left === 0 || gone !== undefined;
  return isNothingLeft || (left !== undefined && left.processes !== null);
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
  return { alive: 'no', deathReason, shim: null, suspended: false, away: null };
}

function present(shim: ProcessView | null, suspended = shim === null ? false : null): Vitality {
  return { alive: 'yes', deathReason: null, shim, suspended, away: null };
}

/** Whether a record that was cut or overwritten, and names no shim, is held by one: the task lives. */
export function isHeldUnread(
  context: SessionContext,
  taskId: string,
  facts: Facts,
  file: FileIdentity,
): boolean {
  return facts.spec === undefined && shimOf(facts) === undefined && isHeld(context, taskId, file) === true;
}

function mayStillStart(context: SessionContext, facts: Facts, modifiedAt: number): boolean {
  if (facts.spec === undefined) return Math.abs(Date.now() - modifiedAt) < spawnAbortedAfterMs;
  const { system } = context.store;
  // One in a container that is not seen may live.
  const spawnerLives =
    originOf(facts.spec.by, system) === 'unseen' || isAlive(facts.spec.by, system) === 'yes';
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
 * @param options `previewBytes`: how much of the output is in it; 0: nothing is read of it. `written`: what it has written, for
 * who has just looked.
 */
export function describe(
  context: SessionContext,
  taskId: string,
  observed: Observed,
  {
    previewBytes = context.limits.previewBytes,
    nowMs = Date.now(),
    written = writtenBy(context, taskId, observed.facts),
  }: { previewBytes?: number; nowMs?: number; written?: Written } = {},
): TaskSnapshot {
  const { facts, alive, shim, away, modifiedAt, isPartial } = observed;
  const command = facts.started?.pid ?? null;
  const suspended = observed.suspended ?? (shim !== null && context.store.system.isSuspended(shim, command));
  return snapshotOf(facts, {
    taskId,
    sessionId: context.sessionId,
    alive,
    suspended,
    isCopy: away === 'copied',
    nowMs,
    monoMs: now().monoMs,
    modifiedAt,
    isPartial,
    output: summarize(context, taskId, facts, { written, previewBytes }),
  });
}

/** As far as its shim has noticed it: who only looks has not seen what was there before. */
function erasedBytes({ erased }: Facts): number | null {
  const bytes = erased.reduce((sum, fact) => sum + fact.bytes, 0);
  return bytes === 0 && erased.length > 0 ? null : bytes;
}

function summarize(
  context: SessionContext,
  taskId: string,
  facts: Facts,
  { written, previewBytes }: { written: Written; previewBytes: number },
): OutputSummary {
  const separate = facts.spec?.separate === true;
  const { stdout, stdoutBytes, stderrBytes, lastWrittenAt } = written;
  const isShown = previewBytes > 0 && stdoutBytes > 0;
  const end = isShown ? endOf(stdout, previewBytes) : null;
  return {
    path: stdout.path,
    stderrPath: separate ? outputPath(context.paths, taskId, 'stderr') : null,
    bytes: (end?.size ?? stdoutBytes) + stderrBytes,
    erasedBytes: erasedBytes(facts),
    // Each says how much it was until then.
    droppedBytes: Math.max(facts.exit?.dropped ?? 0, facts.left?.dropped ?? 0, facts.gone?.dropped ?? 0),
    lastWrittenAt,
    preview: end?.bytes.toString('utf8') ?? '',
    truncated: end === null ? stdoutBytes > 0 : end.offset > 0,
  };
}

const lineFeed = 0x0a;

/** The end of an output, from the first line that begins in it; of a longer line, the end of that. */
function endOf(file: OutputFile, maxBytes: number): Pick<OutputSlice, 'bytes' | 'offset' | 'size'> {
  // One byte more tells whether a line begins with the first that is shown.
  const { bytes, offset, size } = wholeCharacters(tailOutput(file, maxBytes + 1), false);
  const isAll = offset === 0 && bytes.length <= maxBytes;
  const lineStart = isAll ? 0 : bytes.indexOf(lineFeed) + 1;
  const isLine = lineStart > 0 && lineStart < bytes.length;
  const begin = isLine ? lineStart : characterStart(bytes, Math.max(0, bytes.length - maxBytes));
  return { bytes: bytes.subarray(begin), offset: offset + begin, size };
}

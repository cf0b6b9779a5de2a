import { closed, OutliveError } from '../../errors/error.ts';
import { type Facts, shimOf } from '../../model/fold.ts';
import { isAlive } from '../../platform/identity.ts';
import { logPathOf } from '../../tasklog/done.ts';
import { freeKey, holderOf, type KeyHolder, keyOfName, keysOf } from '../../tasklog/keys.ts';
import { sleep } from '../../util/wait.ts';
import { acknowledge } from '../completions/acknowledge.ts';
import type { SessionContext } from '../session/context.ts';
import { type Observed, observe } from '../session/observe.ts';
import { reconcile, reconcileSoon } from '../supervise/reconcile.ts';
import { checkNow } from './check-now.ts';
import { makeWay } from './make-way.ts';
import { KeyTaken, spawnTask } from './spawn.ts';
import type { SpawnRequest } from './spawn-request.ts';

/** Pauses between two checks of a task that is about to start; they double. */
const firstPauseMs = 2;
const longestPauseMs = 100;

/** What `spawn` has come to. */
export interface Spawned {
  readonly taskId: string;
  /** The task was there already, since it has the key. */
  readonly reused: boolean;
  /** The tasks that were stopped for it. Their ends are acknowledged. */
  readonly replaced: readonly string[];
}

/**
 * What is known of the task that has a key. `kept`: it runs, has run, or may run. `starting`: nothing says yet that it
 * runs, which takes a moment, or half a minute when its spawner was stopped. `over`: it has run. `free`: it never runs, which
 * its log says.
 */
type Standing = 'kept' | 'starting' | 'over' | 'free';

/** What follows for a new task: it may claim its keys, has to look again, is not needed, or stops one that has its name. */
type Verdict = 'claim' | 'again' | { readonly reuses: string } | { readonly replaces: string };

/**
 * Starts a task, unless the session has one for its key, or a task that has not ended has its name. The log of a task decides
 * whether it may run, and the key whose log counts: a key goes to another task only when the log of the one that has it
 * forbids the start, or is gone; the key of a name also when that one has ended.
 * @throws OutliveError as {@link spawnTask}; `NAME_TAKEN`, `NOT_STOPPED`, `CLOSED`.
 */
export async function claimAndSpawn(context: SessionContext, request: SpawnRequest): Promise<Spawned> {
  const replaced: string[] = [];
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    if (context.closed) throw closed('session');
    const verdict = await lookAtKeys(context, request);
    if (verdict === 'again') await sleep(pauseMs);
    else if (verdict === 'claim') {
      const taskId = await spawnUnlessTaken(context, { ...request, inPlaceOf: replaced.at(-1) ?? null });
      if (taskId === null) continue;
      for (const one of replaced) acknowledge(context, one);
      return { taskId, reused: false, replaced };
    } else if ('reuses' in verdict) {
      reconcileSoon(context, verdict.reuses);
      return { taskId: verdict.reuses, reused: true, replaced };
    } else {
      checkNow(context, request, 1);
      await makeWay(context, verdict.replaces, null);
      replaced.push(verdict.replaces);
    }
  }
}

async function lookAtKeys(context: SessionContext, request: SpawnRequest): Promise<Verdict> {
  for (const key of keysOf(request)) {
    const holder = holderOf(context.paths, key);
    if (holder === null) continue;
    const isName = request.name !== null && key === keyOfName(request.name);
    const standing = await standingOf(context, key, holder);
    const isFree = standing === 'free' || (isName && standing === 'over');
    if (isFree) freeKey(context.paths, key, holder.cookie);
    else if (isName && request.replace) return { replaces: holder.taskId };
    else if (isName) throw nameTaken(request.name ?? '', holder.taskId);
    else return standing === 'starting' ? 'again' : { reuses: holder.taskId };
  }
  return 'claim';
}

function nameTaken(name: string, taskId: string): OutliveError {
  return new OutliveError(
    'NAME_TAKEN',
    `expected a name that no running task of the session has; found ${JSON.stringify(name)}, which ${taskId} has. Stop that task, choose another name, or set replace: true.`,
    { details: { taskId, name } },
  );
}

async function spawnUnlessTaken(context: SessionContext, request: SpawnRequest): Promise<string | null> {
  try {
    return await spawnTask(context, request);
  } catch (error) {
    if (error instanceof KeyTaken) return null;
    throw error;
  }
}

async function standingOf(
  context: SessionContext,
  key: string,
  { taskId, cookie }: KeyHolder,
): Promise<Standing> {
  // A log that cannot be read still exists.
  if (logPathOf(context.paths, taskId) === null) return 'free';
  const first = observe(context, taskId);
  if (first === null) return 'kept';
  // The id was given to another task.
  const { spec } = first.facts;
  if (spec !== undefined && (spec.cookie !== cookie || !keysOf(spec).includes(key))) return 'free';
  if (first.decision.state === 'settle') await reconcile(context, taskId);
  const observed = observe(context, taskId);
  return observed === null ? 'kept' : standing(context, observed);
}

function standing(context: SessionContext, { facts, decision }: Observed): Standing {
  if (decision.state === 'live') return decision.elsewhere || hasBegun(facts) ? 'kept' : 'starting';
  if (decision.state === 'settle') return 'kept';
  const isAborted = decision.outcome.reason === 'spawn_aborted';
  if (isAborted) return cannotRun(context, facts) ? 'free' : 'kept';
  return 'over';
}

function hasBegun(facts: Facts): boolean {
  return shimOf(facts) !== undefined || facts.exit !== undefined;
}

/** Whether no shim will ever run the command. Nothing forbids a start on Windows, but the death of who would start it. */
function cannotRun({ store }: SessionContext, { isForbidden, exit, spec }: Facts): boolean {
  if (isForbidden || exit?.ran === false) return true;
  return spec !== undefined && spec.seal === undefined && isAlive(spec.by, store.system) === 'no';
}

import { isEnded, type TaskSnapshot } from '../../../src/index.ts';
import { type Expected, type History, maxRunning, verdictsOf } from './history.ts';
import type { Entry } from './perform.ts';

/** What is seen of the store from outside at a quiet moment. */
export interface Seen {
  readonly tasks: readonly TaskSnapshot[];
  /** Sessions that a live process has open, and what each of these says is pending. */
  readonly pending: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Pids of the processes of a task that are its command's, not its shim's. */
  readonly pidsOf: (task: TaskSnapshot) => number[];
}

/**
 * Compares what is seen with what was asked. Verdicts that are seen for the first time are kept in the history:
 * they never change.
 * @returns what is wrong, if anything is.
 */
export function faultOf(history: History, seen: Seen, entries: readonly Entry[]): string | null {
  const byName = new Map(seen.tasks.map((task) => [task.name, task]));
  for (const task of seen.tasks) {
    const known = history.tasks.some(({ tag, refused }) => tag === task.name && !refused);
    if (!known) return `${task.taskId} (${task.name}) is there, which nobody asked for`;
  }
  for (const expected of history.tasks) {
    const found = byName.get(expected.tag);
    const fault = found === undefined ? absence(expected) : faultOfTask(expected, found, seen, entries);
    if (fault !== null)
      return `${expected.tag} ${found?.taskId ?? ''}: ${fault}; ${JSON.stringify({ expected, found })}`;
  }
  return faultOfPending(seen) ?? faultOfDeliveries(entries);
}

function absence({ taskId, refused, openPrunes, pruned }: Expected): string | null {
  return refused || taskId === null || openPrunes > 0 || pruned.has(taskId) ? null : 'the task is lost';
}

function faultOfTask(
  expected: Expected,
  found: TaskSnapshot,
  seen: Seen,
  entries: readonly Entry[],
): string | null {
  if (expected.refused) return 'it was refused and is there';
  if (expected.pruned.has(found.taskId)) return 'it was removed and is there';
  if (expected.taskId !== null && found.taskId !== expected.taskId) return 'its id has changed';
  if (!isEnded(found.status)) return faultOfLive(expected, found, seen);
  const verdict = `${found.status} ${found.exitCode} ${found.statusReason}`;
  if (!verdictsOf(expected).some((pattern) => pattern.test(verdict)))
    return `it cannot have ended as ${verdict}`;
  if (found.status === 'timed_out' && found.exitCode === null && found.startedAt !== null)
    return `it has begun, and cannot have ended as ${verdict}`;
  if (expected.verdict !== null && expected.verdict !== verdict)
    return `it ended as ${expected.verdict} before`;
  expected.verdict = verdict;
  return faultOfAcks(expected, found, entries) ?? faultOfProcesses(expected, found, seen);
}

function faultOfLive(expected: Expected, found: TaskSnapshot, seen: Seen): string | null {
  if (expected.verdict !== null) return `it is ${found.status} and had ended as ${expected.verdict}`;
  if (found.delivered) return 'it is delivered and runs';
  const isWatched = seen.pending.has(expected.session);
  const running = seen.tasks.filter(
    ({ sessionId, status }) => sessionId === expected.session && !isEnded(status) && status !== 'queued',
  );
  if (found.status === 'queued' && !expected.stopAnswered) {
    return isWatched && running.length < maxRunning ? 'it waits although there is room' : null;
  }
  // The shim sees to all of this, with nobody watching.
  if (expected.stopAnswered || expected.shimKilled || expected.code !== null || expected.timeoutMs !== null)
    return `it is ${found.status} and should have ended`;
  // Who asked for the stop may have died before he woke the shim.
  if (expected.stopAsked && found.status === 'killing')
    return isWatched ? `it is ${found.status} and should have ended` : null;
  if (found.status !== 'running') return `it is ${found.status} and should run`;
  expected.seenRunning = true;
  return seen.pidsOf(found).length === 0 ? 'it runs without a process' : null;
}

function faultOfAcks(
  { taskId, mayBeAcked }: Expected,
  found: TaskSnapshot,
  entries: readonly Entry[],
): string | null {
  const firsts = entries.filter((entry) => entry.taskId === found.taskId && entry.first === true).length;
  if (firsts > 1) return `${firsts} were told that they acknowledged it first`;
  if (firsts === 1 && !found.delivered) return 'it was acknowledged and is pending';
  // Whoever died while he spawned it may have taken it back.
  if (found.delivered && firsts === 0 && !mayBeAcked && taskId !== null)
    return 'it is delivered and nobody took it';
  return null;
}

function faultOfProcesses(
  { session, kind, leftovers }: Expected,
  found: TaskSnapshot,
  seen: Seen,
): string | null {
  // Nobody has settled it, perhaps.
  if (!seen.pending.has(session)) return null;
  const named = found.leftovers.map(({ pid }) => pid);
  const unnamed = seen.pidsOf(found).filter((pid) => !named.includes(pid));
  // The command of a shim that was killed goes on, and may start what nobody had seen.
  const mayGrow = found.status === 'lost' && kind === 'leaves' && named.length > 0;
  if (unnamed.length > 0 && !mayGrow) return `processes of it are left and not named: ${unnamed}`;
  const mayLeave = found.status === 'lost' || (kind === 'leaves' && leftovers === 'report');
  return named.length > 0 && !mayLeave ? `it names leftovers: ${JSON.stringify(found.leftovers)}` : null;
}

function faultOfPending({ tasks, pending }: Seen): string | null {
  for (const [session, lists] of pending) {
    const ended = tasks.filter(({ sessionId, status }) => sessionId === session && isEnded(status));
    const expected = ended.filter(({ delivered }) => !delivered).map(({ taskId }) => taskId);
    for (const list of lists) {
      if (JSON.stringify([...list].sort()) !== JSON.stringify([...expected].sort()))
        return `session ${session} owes ${expected}, and a process says ${list}`;
    }
  }
  return null;
}

/** Whether anybody was told of what was acknowledged before he began, or of what another one had claimed. */
function faultOfDeliveries(entries: readonly Entry[]): string | null {
  const acked = new Set<string>();
  const ackedBefore = new Map<string, ReadonlySet<string>>();
  const holder = new Map<string, Entry>();
  for (const entry of entries) {
    const { what, who, consumer = '', taskId = '' } = entry;
    if (what === 'begun') ackedBefore.set(consumer, new Set(acked));
    if (what === 'acked') {
      if (entry.first) acked.add(taskId);
      holder.delete(taskId);
    }
    if (what === 'released' || what === 'crashing') {
      for (const [id, held] of holder)
        if (held.who === who && (what === 'crashing' || held.consumer === consumer)) holder.delete(id);
    }
    if (what !== 'told') continue;
    if (ackedBefore.get(consumer)?.has(taskId))
      return `${consumer} was told of ${taskId}, which was acknowledged before`;
    if (!entry.exclusive) continue;
    const held = holder.get(taskId);
    if (held !== undefined && held.consumer !== consumer)
      return `${consumer} was told of ${taskId}, which ${held.consumer} had claimed`;
    holder.set(taskId, entry);
  }
  return null;
}

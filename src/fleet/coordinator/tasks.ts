import { OutliveError } from '../../errors/error.ts';
import type {
  AcknowledgeRequest,
  CompletionsRequest,
  KillRequest,
  ListRequest,
  RemoteTask,
  ShowRequest,
  WaitRequest,
} from '../wire/operations.ts';
import { type Core, unreachable } from './core.ts';
import { cancel, deliver, noteKill } from './decide.ts';
import { currentOf, type Held, isOver, type TaskEntry } from './fold.ts';
import { throwRefusal } from './refusal.ts';
import { rowTold, taskTold } from './told.ts';

/** How often a write is decided again after another writer was first. A task has few transitions. */
const mostTries = 8;
/** How long a host may take to stop a task after the grace, in milliseconds. Also assumed as a host's default grace. */
const stopMs = 10_000;
/** The most bytes of one answer with several tasks. */
const mostAnswerBytes = 384 * 1024;

/** A page of the tasks, sorted by id. It may have fewer tasks than requested. An empty page marks the end. */
export function list(core: Core, { session, host, after, most }: ListRequest): RemoteTask[] {
  const found: TaskEntry[] = [];
  for (const entry of core.ledger.all()) {
    const { assignment } = currentOf(entry);
    if (session !== null && assignment.spec.session !== session) continue;
    if (host !== null && assignment.host !== host) continue;
    if (after === null || entry.task > after) found.push(entry);
  }
  found.sort((a, b) => (a.task < b.task ? -1 : 1));
  return fitting(found.slice(0, most).map((entry) => rowTold(core, entry)));
}

/** Finds a task. @throws OutliveError `TASK_NOT_FOUND`. */
export async function show(core: Core, { task }: ShowRequest): Promise<RemoteTask> {
  return taskTold(core, await find(core, task));
}

/** Waits until a task has the state or cannot get it, its host is lost, or the time is up. Then returns the task. */
export async function wait(core: Core, { task, until, waitMs }: WaitRequest): Promise<RemoteTask> {
  await find(core, task);
  const isThere = (): boolean => {
    const { assignment } = currentOf(found(core, task));
    if (isOver(assignment) || assignment.state === 'unknown') return true;
    return until === 'accepted' && assignment.state === 'accepted';
  };
  await waitFor(core, task, isThere, waitMs);
  return taskTold(core, found(core, task));
}

/**
 * Stops a task. The coordinator revokes a task that no host has accepted. Otherwise the host stops it.
 * @throws OutliveError `HOST_UNREACHABLE` when the host does not answer. It may still stop the task.
 */
export async function kill(core: Core, { task, graceMs }: KillRequest, client: string): Promise<RemoteTask> {
  await find(core, task);
  for (let tries = 0; tries < mostTries; tries += 1) {
    const entry = found(core, task);
    const held = currentOf(entry);
    const { state, host, attempt } = held.assignment;
    if (isOver(held.assignment)) return taskTold(core, entry);
    if (state === 'unknown') throw unreachable(host);
    if (state === 'accepted') {
      // Note this before the host hears of it. If the host is lost with the end, the task must not start elsewhere.
      const note = noteKill(held, Date.now());
      if (note !== null && !(await core.write(note, client))) continue;
      core.audit.tell({ host, what: 'kill', client, task, attempt });
      throwRefusal(await core.orderHost(host, 'kill', { task, graceMs }, stopMs + (graceMs ?? stopMs)));
      return taskTold(core, found(core, task));
    }
    await core.write(cancel(entry, held, 'it was cancelled', Date.now()), client);
  }
  throw changesTooOften();
}

/** The ended tasks of a session that are not acknowledged. If there are none, waits up to `waitMs` for the first. */
export async function completions(core: Core, asked: CompletionsRequest): Promise<RemoteTask[]> {
  const { session, most, waitMs } = asked;
  await waitFor(core, `session ${session}`, () => core.ledger.hasOwed(session), waitMs);
  const owed = core.ledger.owed(session).slice(0, most);
  return fitting(owed.map(({ assignment }) => taskTold(core, found(core, assignment.task))));
}

/** The first of these tasks, as many as fit into one answer, and at least one. */
function fitting(tasks: readonly RemoteTask[]): RemoteTask[] {
  let bytes = 0;
  const end = tasks.findIndex((one, index) => {
    bytes += JSON.stringify(one).length;
    return index > 0 && bytes > mostAnswerBytes;
  });
  return tasks.slice(0, end === -1 ? tasks.length : end);
}

/**
 * Notes that the consumer has these ends, and tells the hosts.
 * @returns the ends that are noted. A task that has not ended, or belongs to another session, is left out.
 */
export async function acknowledge(core: Core, asked: AcknowledgeRequest, client: string): Promise<unknown> {
  const { session, ends } = asked;
  const noted = await Promise.all(
    ends.map(async ({ task, attempt }) => {
      const isNoted = await note(core, session, { task, attempt }, client);
      return isNoted ? [{ task, attempt }] : [];
    }),
  );
  return noted.flat();
}

async function note(
  core: Core,
  session: string,
  { task, attempt }: { readonly task: string; readonly attempt: number },
  client: string,
): Promise<boolean> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const entry = core.ledger.get(task);
    const held = entry && currentOf(entry);
    if (entry === undefined || held === undefined || !isEndOf(held, session, attempt)) return false;
    const { state, host } = held.assignment;
    if (state === 'delivered' || (await core.write(deliver(entry, held, Date.now()), client))) {
      if (held.assignment.end !== null) core.tellHost(host, 'acknowledge', { task, attempt });
      return true;
    }
  }
  throw changesTooOften();
}

function isEndOf({ assignment }: Held, session: string, attempt: number): boolean {
  return isOver(assignment) && assignment.attempt === attempt && assignment.spec.session === session;
}

/** Finds a task, also one that another coordinator has just written. */
export async function find(core: Core, task: string): Promise<TaskEntry> {
  if (core.ledger.get(task) === undefined) await core.journal.reach();
  return found(core, task);
}

function found(core: Core, task: string): TaskEntry {
  const entry = core.ledger.get(task);
  if (entry === undefined)
    throw new OutliveError(
      'TASK_NOT_FOUND',
      `expected a task of the fleet; found no record of ${JSON.stringify(task)}. List all tasks of the fleet to see which there are.`,
      { details: { taskId: task } },
    );
  return entry;
}

async function waitFor(core: Core, what: string, isThere: () => boolean, waitMs: number): Promise<void> {
  if (isThere() || waitMs === 0) return;
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      off();
      core.closing.removeEventListener('abort', end);
      resolve();
    };
    const off = core.ledger.on(what, () => {
      try {
        if (isThere()) end();
      } catch (error) {
        // The task was removed in the meantime.
        end();
        reject(error);
      }
    });
    const timer = setTimeout(end, waitMs);
    core.closing.addEventListener('abort', end);
  });
}

function changesTooOften(): OutliveError {
  return new OutliveError(
    'FLEET_UNREACHABLE',
    'expected to write the state of the task; found that other writers keep changing it. Ask again.',
  );
}

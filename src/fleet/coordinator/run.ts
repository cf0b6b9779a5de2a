import { OutliveError } from '../../errors/error.ts';
import { crypto } from '../../util/crypto.ts';
import type { Assignment } from '../wire/assignment.ts';
import { wireVersion } from '../wire/names.ts';
import type { RemoteTask, RunRequest } from '../wire/operations.ts';
import { checkSize } from '../wire/warrant.ts';
import type { Core } from './core.ts';
import { currentOf, type TaskEntry } from './fold.ts';
import { mostOpen, place, whyNot } from './placement.ts';
import { wait } from './tasks.ts';
import { noAnswer } from './writer.ts';

/** How many ids are tried for one request. Once in a hundred million, another task has the first. */
const mostIds = 8;

/**
 * Assigns a task to a host. The id of the task is derived from the request. So coordinators that get the same request
 * write to the same subject, and only one write succeeds.
 * @throws OutliveError `FLEET_BUSY` or `FLEET_HOST`: nothing was assigned; `FLEET_UNREACHABLE`: it may be.
 */
export async function run(core: Core, asked: RunRequest, client: string): Promise<RemoteTask> {
  checkSize(asked.spec);
  if (asked.era !== null && asked.era !== core.journal.era) throw anotherEra();
  for (let turn = 0; turn < mostIds; turn += 1) {
    const task = idOf(client, asked.request, turn);
    const entry = core.ledger.get(task) ?? (await assign(core, asked, client, task));
    if (entry !== null && isOf(entry, client, asked.request))
      return await wait(core, { v: wireVersion, task, until: 'accepted', waitMs: asked.acceptMs ?? 0 });
  }
  throw new OutliveError('FLEET_BUSY', 'expected an unused id; found none. Ask again with another request.');
}

async function assign(
  core: Core,
  asked: RunRequest,
  client: string,
  task: string,
): Promise<TaskEntry | null> {
  const { request, spec, placement, startByMs, redispatch } = asked;
  if (core.openCount >= mostOpen)
    throw new OutliveError(
      'FLEET_BUSY',
      `expected fewer than ${mostOpen} tasks to wait or run in the fleet; found that the fleet is full. Wait, or stop some.`,
    );
  const host = place(placement, core.loads(placement.host));
  if (host === null) return await unlessThere(core, task, whyNot(placement, core.loads(placement.host)));
  const now = Date.now();
  const assignment: Assignment = {
    ...{
      v: wireVersion,
      host,
      task,
      attempt: 1,
      state: 'assigned',
      spec,
      placement,
      request,
      client,
      redispatch,
    },
    startBy: startByMs === null ? null : now + startByMs,
    ...{ at: now, by: 'coordinator', localId: null, end: null, reason: null },
  };
  await core.reserving(host, () => core.write({ assignment, after: 0, scope: 'task' }, client));
  return core.ledger.get(task) ?? (await unreadable(core, task));
}

/**
 * The assignment was not written, and the ledger does not know the task.
 * @returns null if the subject of the task has a message that is not an assignment: the caller then tries another id.
 * @throws OutliveError `FLEET_UNREACHABLE` if the subject is empty: a write without an answer may still be stored.
 */
async function unreadable(core: Core, task: string): Promise<null> {
  if (await core.journal.hasAny(task)) return null;
  throw noAnswer(new Error(`the fleet does not know ${task}`));
}

/** No host may take the task now. But another coordinator may have assigned it after an earlier try of this request. */
async function unlessThere(core: Core, task: string, error: OutliveError): Promise<TaskEntry> {
  await core.journal.reach();
  const entry = core.ledger.get(task);
  if (entry === undefined) throw error;
  return entry;
}

function idOf(client: string, request: string, turn: number): string {
  const digest = crypto()
    .createHash('sha256')
    .update(JSON.stringify([client, request, turn]))
    .digest('hex');
  return `bgb-${digest.slice(0, 12)}`;
}

function isOf(entry: TaskEntry, client: string, request: string): boolean {
  const { assignment } = currentOf(entry);
  return assignment.client === client && assignment.request === request;
}

function anotherEra(): OutliveError {
  return new OutliveError(
    'FLEET_UNREACHABLE',
    'expected the fleet to still have the data of the first request; found that they are lost, so nobody knows whether the task was started. Check what runs on the hosts, then send a new request.',
  );
}
